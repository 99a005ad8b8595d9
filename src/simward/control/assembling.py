"""The control plane put together: registry, what follows from facts, what waits for a time, and what others may ask."""

from __future__ import annotations

from simward.control.access.assembling import Access
from simward.control.api.asking import Asking
from simward.control.api.audit import audit_routes
from simward.control.api.behaviour import behaviour_routes
from simward.control.api.benign import benign_routes
from simward.control.api.deployments import InForce, deployment_routes
from simward.control.api.events import News, Streams, event_routes
from simward.control.api.gateways import gateway_routes
from simward.control.api.incidents import Cases, incident_routes
from simward.control.api.metrics import metrics_routes
from simward.control.api.records import record_routes
from simward.control.api.repeats import Forgetting, Repeats
from simward.control.api.rules import rule_routes
from simward.control.api.services import service_routes
from simward.control.api.work import Orders, work_routes
from simward.control.behind import Behind
from simward.control.camara.assembling import Camara
from simward.control.chapters import story_of
from simward.control.clock import SystemClock
from simward.control.conditions import ProcessConditions, RegistryConditions, WatchConditions
from simward.control.console.assembling import console_routes
from simward.control.console.sources import Sources
from simward.control.deploying import Deploying
from simward.control.gate_link import GateLink
from simward.control.heads import Heads, Signer
from simward.control.installation import installation_of
from simward.control.metrics import Measures
from simward.control.outward import Outward
from simward.control.proposals import Proposals
from simward.control.readiness import Conditions, GateConditions, Readiness
from simward.control.requests import Requests
from simward.control.retention import Retention
from simward.control.run import Control, Part
from simward.control.widening import widening
from simward.registry.database import Registry, url_of
from simward.registry.mirrors import tenant_of
from simward.registry.work_orders import is_open
from simward.response.announcing import Announcing
from simward.response.auditing import Auditing
from simward.response.benign import Verdicts
from simward.response.deployments import Deployments
from simward.response.incidents import Incidents
from simward.response.judging import Judging
from simward.response.rules.acting import Automation
from simward.response.rules.opening import RaisedIncidents
from simward.response.work_orders import WorkOrders
from simward.settings import Settings


def assemble(settings: Settings, *more: Part) -> Control:
    """All parts of one working folder's control plane, and `more` that run beside them.

    Raises RegistryError where the registry cannot be opened.
    """
    registry = Registry.open(url_of(settings))
    registry.migrate()
    clock = SystemClock()
    now_us, data_dir = clock.now, settings.data_dir
    announcing = Announcing(settings.endpoints, now_us, settings.parties)
    heads = Heads(settings.heads_path, Signer.of(settings.data_dir), registry)
    incidents = Incidents(announcing, settings.incidents, now_us)
    gate = GateLink(settings.data_dir)
    outward = Outward(settings, registry, announcing, gate.ask, incidents.life, clock)
    automation = Automation(
        announcing, now_us, parties=settings.parties, incidents=RaisedIncidents(incidents.life), work_orders=is_open,
        act_within_s=settings.incidents.act_within_s,
    )
    access, news, streams, requests = Access(settings, registry, now_us), News(), Streams(), Requests()
    deployments = Deployments(announcing)
    deploying = Deploying(registry, gate.ask, clock, deployments, settings.data_dir)
    camara = Camara(settings, registry, gate, clock, access.vault)
    proposals = Proposals(settings, registry, gate, clock, outward.commanding.wake)
    behind = Behind(
        settings, registry, now=now_us, before=[Auditing()], heads=heads,
        changed=[*outward.changed, news.wake, *camara.changed], being_served=lambda: requests.now - streams.now,
        ticking=[
            incidents, automation, outward, access, camara.telling, Forgetting(), proposals.jobs,
            Retention(settings.registry),
        ],
        # In this order: what work orders say to a finding is its incident's title, and what is announced names that.
        takers=[WorkOrders(announcing), deployments, incidents, Verdicts(incidents.life, now_us), announcing,
                automation, *camara.takers],
    )  # fmt: skip
    judging = Judging(incidents.life, widening(data_dir, now_us))
    conditions: list[Conditions] = [
        behind, RegistryConditions(registry), WatchConditions(data_dir), ProcessConditions(data_dir),
    ]
    measures = Measures(
        registry, requests, now=now_us, behind=behind, dispatcher=outward.dispatcher, incidents=incidents.counts,
        rules=automation.counts, sign_ins=access.signing_in.counts, streams=streams,
    )  # fmt: skip
    console = Sources(
        Asking(registry), Cases(registry, judging, settings.data_dir, now_us), gate,
        Readiness([GateConditions(gate), *conditions]), data_dir, now_us, lambda iccid: _tenant_of(registry, iccid),
        Orders(registry, settings.inventory_path, now_us), outward.commanding.wake,
        [one.name for one in settings.endpoints], settings=settings, registry=registry, policy=behind.policy,
    )  # fmt: skip
    routes = [
        # Those that are asked most come first: a request is held against one after the other.
        record_routes(registry, lambda imsi: story_of(data_dir, imsi), now_us),
        incident_routes(registry, judging, data_dir, now_us), rule_routes(registry, now_us),
        work_routes(registry, settings.inventory_path, now_us, outward.commanding.wake),
        audit_routes(registry), gateway_routes(gate, registry), behaviour_routes(data_dir),
        benign_routes(registry, data_dir, now_us),
        event_routes(registry, installation_of(settings.data_dir), news, access.still, streams),
        metrics_routes(gate, data_dir, now_us, measures.text), service_routes(registry, data_dir),
    ]  # fmt: skip

    def deployed() -> None:
        for wake in (deploying.wake, *outward.changed, news.wake):
            wake()

    in_force = InForce(behind.policy)
    routes.append(
        deployment_routes(registry, deployments, in_force, settings.inventory_path, now_us, deployed, news)
    )
    control = Control(
        settings, parts=[behind, deploying, proposals.jobs, *outward.parts, *camara.parts, *more],
        conditions=conditions,
        routes=[*routes, *access.routes, *outward.routes, *camara.routes, *proposals.routes],
        authenticators=[*access.authenticators, *outward.authenticators, *camara.authenticators],
        tenant_of=lambda iccid: _tenant_of(registry, iccid), secure=access.site.secure, certificate=access.certificate,
        welcome=access.links.welcome, requests=requests,
    )  # fmt: skip
    control.app.state.access = access
    for one in console_routes(console):  # the last of all: what no route knows is theirs, where a browser asks
        control.app.include_router(one)
    control.app.add_middleware(Repeats, registry=registry, now=now_us)
    return control


def _tenant_of(registry: Registry, iccid: str) -> str | None:
    with registry.reading() as connection:
        return tenant_of(connection, iccid)
