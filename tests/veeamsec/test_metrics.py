"""Figures for Prometheus: who gets them, their form, their cost; dashboard and rules name real ones."""

import json
import re

import pytest
import yaml
from django.test import Client
from django.utils import timezone

from accounts.models import Role
from accounts.services import users
from audit import services as audit
from audit.events import Event
from audit.models import Forwarder
from tests.encryption.conftest import make_user
from tests.house.sources import ROOT
from veeamsec import metrics
from veeamsec.metrics import Figure

NAME = re.compile(r"\bveeamsec_[a-z_]+")
LINE = re.compile(r'[a-z_]+(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? -?[0-9.e+]+')


def get(scopes: list[str]):
    user = make_user("prometheus", Role.SERVICE)
    token = users.create_token(user=user, name="scrape", days=1, scopes=scopes, by=user)
    return Client(HTTP_HOST="localhost:8000", headers={"Authorization": f"Bearer {token}"}).get("/metrics")


@pytest.mark.django_db
def test_a_token_of_its_scope_gets_every_line():
    answer = get(["metrics"])
    lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    assert answer["Content-Type"] == metrics.CONTENT_TYPE
    assert 'veeamsec_requests{state="pending"} 0' in lines
    assert [line for line in lines if not LINE.fullmatch(line)] == []


@pytest.mark.django_db
def test_a_token_of_another_scope_gets_nothing():
    assert get(["api"]).status_code == 401


@pytest.mark.django_db
def test_a_forwarder_s_lag_is_told():
    row = Forwarder.objects.create(name="siem", way="tls", host="siem.example", port=6514)
    with audit.act(by=audit.CONSOLE, subject="job"):
        audit.record(Event.JOB_RUN)
    found = {figure.name: figure.value for figure in metrics.figures(timezone.now())}
    assert (found["veeamsec_forwarder_waiting"], found["veeamsec_log_entries"]) == (1, 1)
    assert str(row.pk) in metrics.text_of(metrics.figures(timezone.now()))


@pytest.mark.django_db
def test_more_rows_cost_no_more_queries(django_assert_num_queries):
    for number in range(5):
        Forwarder.objects.create(name=f"{number}", way="tls", host="siem.example", port=6514)
    with django_assert_num_queries(9):
        list(metrics.figures(timezone.now()))


def test_a_label_cannot_end_its_line():
    text = metrics.text_of([Figure("veeamsec_requests", 1, (("state", 'a"\n\\'),))])
    assert text.splitlines()[2] == 'veeamsec_requests{state="a\\"\\n\\\\"} 1'


def test_an_undeclared_figure_is_refused():
    with pytest.raises(ValueError):
        metrics.text_of([Figure("veeamsec_other", 1)])


def test_the_dashboard_names_figures_that_exist():
    panels = json.loads((ROOT / "deploy/grafana/veeamsec.json").read_text())["panels"]
    named = {name for panel in panels for one in panel["targets"] for name in NAME.findall(one["expr"])}
    assert len(panels) == 10
    assert named - set(metrics.METRICS) == set()


def test_the_alert_rules_name_figures_that_exist():
    (group,) = yaml.safe_load((ROOT / "deploy/prometheus/veeamsec.rules.yml").read_text())["groups"]
    named = {name for rule in group["rules"] for name in NAME.findall(rule["expr"])}
    assert {"veeamsec_forwarder_lag_seconds", "veeamsec_outbox_lag_seconds"} <= named
    assert named - set(metrics.METRICS) == set()
