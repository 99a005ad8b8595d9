"""The pages behind the first three: what acts, who is told, what is declared, who may, and what was done."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter

from simward.control.console.access import access_pages
from simward.control.console.audit import audit_pages
from simward.control.console.endpoints import endpoint_pages
from simward.control.console.findings import finding_pages
from simward.control.console.first_run import first_run_pages
from simward.control.console.gateways import gateway_pages
from simward.control.console.install import install_pages
from simward.control.console.map import map_pages
from simward.control.console.pages import Pages
from simward.control.console.proposals import proposal_pages
from simward.control.console.revisions import revision_pages
from simward.control.console.rules import rule_pages
from simward.control.console.sources import Sources
from simward.control.console.use_cases import use_case_pages
from simward.control.console.work_orders import work_order_pages

PLACES_BEHIND: Sequence[Callable[[APIRouter, Pages, Sources], None]] = (
    finding_pages, map_pages, install_pages, use_case_pages, proposal_pages, revision_pages, rule_pages,
    work_order_pages, endpoint_pages, gateway_pages, audit_pages, first_run_pages, access_pages,
)  # fmt: skip
