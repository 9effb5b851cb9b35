"""The apps, their order, and who keeps it."""

import tomllib

from django.conf import settings

from tests.house.sources import APPS, ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def test_every_app_is_installed():
    assert set(APPS) <= set(settings.INSTALLED_APPS)


def test_the_order_of_the_apps_names_every_one():
    (order,) = [contract for contract in CONTRACTS if contract["name"] == "apps import downwards"]
    assert set(order["layers"]) == set(APPS)


def test_the_ladder_holds_in_every_app_but_the_house():
    (ladder,) = [contract for contract in CONTRACTS if contract["name"] == "the ladder inside an app"]
    assert set(ladder["containers"]) == set(APPS) - {"veeamsec"}
