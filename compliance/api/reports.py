"""The addresses of reports: read as JSON or CSV, made as a file, told again and again."""

import json
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, renderers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import IdempotentPosts
from accounts.api.views import read as _read
from accounts.api.views import user_of as _user
from compliance import selectors
from compliance.api.serializers import (
    CatalogueSerializer,
    MakingSerializer,
    NewScheduleSerializer,
    ReportSerializer,
    ScheduleSerializer,
    WantedSerializer,
)
from compliance.errors import NotFound
from compliance.models import Report, ReportSchedule
from compliance.reports import catalogue, formats, sheet
from compliance.services import reporting, schedules


class _As(renderers.BaseRenderer):
    """Lets a client name the type of a file; what is not a file is JSON all the same."""

    charset = None

    def render(self, data: Any, *_: Any, **__: Any) -> bytes:
        """Return what a refusal says."""
        return json.dumps(data, default=str).encode()


class AsCsv(_As):
    """A table."""

    media_type, format = "text/csv", "csv"


class AsFile(_As):
    """A report as a file."""

    media_type, format = "application/pdf", "pdf"


class Catalogue(APIView):
    """Which reports there are."""

    @extend_schema(operation_id="reports_catalogue", responses=CatalogueSerializer)
    def get(self, request: Request) -> Response:
        """Return each with what it is asked for."""
        reporting.demand(_user(request))
        return Response(CatalogueSerializer({"reports": list(catalogue.KINDS.values())}).data)


class ReportView(APIView):
    """One report, now."""

    @extend_schema(parameters=[WantedSerializer], responses={200: dict})
    def get(self, request: Request, name: str) -> Response:
        """Return it as JSON; that it was read is told to the log."""
        found = reporting.read(name, request.query_params.dict(), by=_user(request), form="json")
        return Response(formats.as_json(found))


class SheetView(APIView):
    """One table of a report."""

    renderer_classes = [renderers.JSONRenderer, AsCsv]

    @extend_schema(
        parameters=[
            WantedSerializer,
            OpenApiParameter("table", str, description="Which table; else the first"),
        ],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, name: str) -> HttpResponse:
        """Return it as CSV, in which no text is taken for a formula."""
        found = reporting.read(name, request.query_params.dict(), by=_user(request), form="csv")
        table = found.table(request.query_params.get("table", ""))
        if table is None:
            raise NotFound("There is no such table.")
        return sheet_answer(found.name, table.slug, sheet.csv_of(table))


class Files(generics.ListAPIView[Report]):
    """One's own reports as files, and those that one is told of."""

    serializer_class = ReportSerializer
    cursor_ordering = "-created_at"
    queryset = Report.objects.none()

    def get_queryset(self) -> QuerySet[Report]:
        """Return them, newest first."""
        reporting.demand(_user(self.request))
        return selectors.reports_for(_user(self.request))


class Making(IdempotentPosts, APIView):
    """Having a report made as a file."""

    @extend_schema(request=MakingSerializer, responses={201: ReportSerializer})
    def post(self, request: Request, name: str) -> Response:
        """Ask for it; the worker makes it."""
        wanted = {key: str(value) for key, value in _read(MakingSerializer, request).items()}
        form = wanted.pop("form")
        made = reporting.order(name, wanted, by=_user(request), form=form)
        return Response(ReportSerializer(made).data, status=status.HTTP_201_CREATED)


class File(APIView):
    """One report as a file."""

    @extend_schema(responses=ReportSerializer)
    def get(self, request: Request, report_id: UUID) -> Response:
        """Return how far it is."""
        return Response(ReportSerializer(reporting.get(report_id, _user(request))).data)


class Content(APIView):
    """The file itself."""

    renderer_classes = [renderers.JSONRenderer, AsFile]

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, report_id: UUID) -> HttpResponse:
        """Hand it over; that it was taken is told to the log."""
        return file_answer(reporting.take(report_id, by=_user(request)))


class Schedules(IdempotentPosts, generics.ListAPIView[ReportSchedule]):
    """Who is told which report how often."""

    serializer_class = ScheduleSerializer
    cursor_ordering = "-created_at"
    queryset = ReportSchedule.objects.none()

    def get_queryset(self) -> QuerySet[ReportSchedule]:
        """Return those that go on."""
        reporting.demand(_user(self.request))
        return selectors.schedules()

    @extend_schema(request=NewScheduleSerializer, responses={201: ScheduleSerializer})
    def post(self, request: Request) -> Response:
        """Have a report told; each mail carries a link, and nothing of the report."""
        fields = _read(NewScheduleSerializer, request)
        made = schedules.make(fields["report"], fields["every"], fields["recipients"], by=_user(request))
        return Response(ScheduleSerializer(made).data, status=status.HTTP_201_CREATED)


class Schedule(APIView):
    """One report told again and again."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, schedule_id: UUID) -> Response:
        """End it."""
        schedules.end(schedule_id, by=_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def sheet_answer(name: str, slug: str, text: str) -> HttpResponse:
    """Return a table as a download."""
    answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="veeamsec-{name}-{slug}.csv"'
    return answer


def file_answer(report: Report) -> HttpResponse:
    """Return a made report as a download."""
    kind = "application/pdf" if report.form == Report.Form.PDF else "application/zip"
    answer = HttpResponse(bytes(report.content or b""), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{report.filename}"'
    return answer
