"""Who may do what with one repository or job, beside what roles give everywhere."""

from django.db import models
from guardian.models import UserObjectPermissionBase

from encryption.models.jobs import Job, Repository


class RepositoryUserObjectPermission(UserObjectPermissionBase):
    """Who may do what with one repository, beside what roles give."""

    content_object = models.ForeignKey(Repository, on_delete=models.CASCADE)


class JobUserObjectPermission(UserObjectPermissionBase):
    """Who may do what with one job, beside what roles give."""

    content_object = models.ForeignKey(Job, on_delete=models.CASCADE)
