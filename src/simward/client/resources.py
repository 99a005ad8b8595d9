"""All calls together."""

# Made from the OpenAPI description by `make docs`: change the routes, not this file.
from __future__ import annotations

from simward.client.caller import AsyncCaller, Caller
from simward.client.calls.account_links import AccountLinksCalls, AsyncAccountLinksCalls
from simward.client.calls.accounts import AccountsCalls, AsyncAccountsCalls
from simward.client.calls.audit import AsyncAuditCalls, AuditCalls
from simward.client.calls.behaviour import AsyncBehaviourCalls, BehaviourCalls
from simward.client.calls.benign import AsyncBenignCalls, BenignCalls
from simward.client.calls.bindings import AsyncBindingsCalls, BindingsCalls
from simward.client.calls.clients import AsyncClientsCalls, ClientsCalls
from simward.client.calls.commands import AsyncCommandsCalls, CommandsCalls
from simward.client.calls.deployments import AsyncDeploymentsCalls, DeploymentsCalls
from simward.client.calls.devices import AsyncDevicesCalls, DevicesCalls
from simward.client.calls.effects import AsyncEffectsCalls, EffectsCalls
from simward.client.calls.endpoints import AsyncEndpointsCalls, EndpointsCalls
from simward.client.calls.events import AsyncEventsCalls, EventsCalls
from simward.client.calls.findings import AsyncFindingsCalls, FindingsCalls
from simward.client.calls.gateways import AsyncGatewaysCalls, GatewaysCalls
from simward.client.calls.healthz import AsyncHealthzCalls, HealthzCalls
from simward.client.calls.incidents import AsyncIncidentsCalls, IncidentsCalls
from simward.client.calls.jobs import AsyncJobsCalls, JobsCalls
from simward.client.calls.me import AsyncMeCalls, MeCalls
from simward.client.calls.metrics import AsyncMetricsCalls, MetricsCalls
from simward.client.calls.parties import AsyncPartiesCalls, PartiesCalls
from simward.client.calls.policy import AsyncPolicyCalls, PolicyCalls
from simward.client.calls.readyz import AsyncReadyzCalls, ReadyzCalls
from simward.client.calls.revisions import AsyncRevisionsCalls, RevisionsCalls
from simward.client.calls.rotate_key import AsyncRotateKeyCalls, RotateKeyCalls
from simward.client.calls.rule_actions import AsyncRuleActionsCalls, RuleActionsCalls
from simward.client.calls.rules import AsyncRulesCalls, RulesCalls
from simward.client.calls.segments import AsyncSegmentsCalls, SegmentsCalls
from simward.client.calls.services import AsyncServicesCalls, ServicesCalls
from simward.client.calls.status import AsyncStatusCalls, StatusCalls
from simward.client.calls.subscriptions import AsyncSubscriptionsCalls, SubscriptionsCalls
from simward.client.calls.tenants import AsyncTenantsCalls, TenantsCalls
from simward.client.calls.tokens import AsyncTokensCalls, TokensCalls
from simward.client.calls.undo import AsyncUndoCalls, UndoCalls
from simward.client.calls.uploads import AsyncUploadsCalls, UploadsCalls
from simward.client.calls.use_cases import AsyncUseCasesCalls, UseCasesCalls
from simward.client.calls.work_orders import AsyncWorkOrdersCalls, WorkOrdersCalls

ROUTES = {
    "POST /v1/account-links": "account_links.create",
    "GET /v1/accounts": "accounts.list",
    "POST /v1/accounts": "accounts.create",
    "GET /v1/accounts/{name}": "accounts.get",
    "POST /v1/accounts/{name}/change": "accounts.change",
    "POST /v1/accounts/{name}/reset": "accounts.reset",
    "GET /v1/audit": "audit.list",
    "GET /v1/behaviour": "behaviour.get",
    "GET /v1/benign": "benign.list",
    "POST /v1/benign": "benign.create",
    "POST /v1/benign/withdraw": "benign.withdraw",
    "GET /v1/bindings": "bindings.list",
    "POST /v1/clients": "clients.create",
    "GET /v1/clients": "clients.list",
    "POST /v1/clients/{id_or_name}/revoke": "clients.revoke",
    "POST /v1/commands": "commands.send",
    "POST /v1/deployments": "deployments.create",
    "GET /v1/deployments": "deployments.list",
    "GET /v1/deployments/{number}": "deployments.get",
    "DELETE /v1/deployments/{number}": "deployments.delete",
    "GET /v1/devices": "devices.list",
    "GET /v1/devices/{imei}": "devices.get",
    "GET /v1/effects": "effects.list",
    "GET /v1/effects/{id}": "effects.get",
    "GET /v1/endpoints": "endpoints.list",
    "GET /v1/endpoints/{name}/dead": "endpoints.dead",
    "POST /v1/endpoints/{name}/redeliver": "endpoints.redeliver",
    "POST /v1/endpoints/{name}/redrive": "endpoints.redrive",
    "POST /v1/endpoints/{name}/test": "endpoints.test",
    "GET /v1/events": "events.list",
    "GET /v1/events/stream": "events.stream",
    "GET /v1/findings": "findings.list",
    "GET /v1/findings/{id}": "findings.get",
    "GET /v1/gateways": "gateways.list",
    "GET /healthz": "healthz.get",
    "GET /v1/incidents": "incidents.list",
    "GET /v1/incidents/{number}": "incidents.get",
    "POST /v1/incidents/{number}/acknowledge": "incidents.acknowledge",
    "POST /v1/incidents/{number}/acknowledgements": "incidents.answer",
    "POST /v1/incidents/{number}/assign": "incidents.assign",
    "POST /v1/incidents/{number}/note": "incidents.note",
    "POST /v1/incidents/{number}/reopen": "incidents.reopen",
    "POST /v1/incidents/{number}/resolve": "incidents.resolve",
    "GET /v1/jobs": "jobs.list",
    "POST /v1/jobs": "jobs.create",
    "GET /v1/jobs/{number}": "jobs.get",
    "POST /v1/jobs/{number}/cancel": "jobs.cancel",
    "GET /v1/jobs/{number}/rows": "jobs.rows",
    "GET /v1/me": "me.list",
    "GET /metrics": "metrics.list",
    "GET /v1/parties": "parties.list",
    "GET /v1/policy": "policy.list",
    "GET /readyz": "readyz.get",
    "GET /v1/revisions": "revisions.list",
    "POST /v1/revisions": "revisions.apply",
    "GET /v1/revisions/{number}": "revisions.get",
    "GET /v1/revisions/{number}/plan": "revisions.plan",
    "POST /v1/revisions/{number}/roll-back": "revisions.roll_back",
    "POST /v1/rotate-key": "rotate_key.create",
    "GET /v1/rule-actions": "rule_actions.list",
    "GET /v1/rules": "rules.list",
    "GET /v1/rules/{name}": "rules.get",
    "POST /v1/rules/{name}/approve": "rules.approve",
    "POST /v1/rules/{name}/pause": "rules.pause",
    "POST /v1/rules/{name}/reject": "rules.reject",
    "POST /v1/rules/{name}/resume": "rules.resume",
    "GET /v1/segments": "segments.list",
    "GET /v1/segments/{name}": "segments.get",
    "GET /v1/services": "services.list",
    "GET /v1/status": "status.get",
    "GET /v1/subscriptions": "subscriptions.list",
    "GET /v1/subscriptions/{imsi_or_iccid}": "subscriptions.get",
    "GET /v1/tenants": "tenants.list",
    "GET /v1/tenants/{name}": "tenants.get",
    "POST /v1/tokens": "tokens.create",
    "GET /v1/tokens": "tokens.list",
    "POST /v1/tokens/{id_or_name}/revoke": "tokens.revoke",
    "POST /v1/undo": "undo.begin",
    "GET /v1/undo/{undo}": "undo.get",
    "POST /v1/uploads": "uploads.create",
    "GET /v1/uploads": "uploads.list",
    "GET /v1/uploads/{id}": "uploads.get",
    "POST /v1/uploads/{id}/apply": "uploads.apply",
    "POST /v1/uploads/{id}/backtest": "uploads.backtest",
    "GET /v1/uploads/{id}/plan": "uploads.plan",
    "GET /v1/use-cases": "use_cases.list",
    "GET /v1/use-cases/{name}": "use_cases.get",
    "POST /v1/work-orders": "work_orders.create",
    "GET /v1/work-orders": "work_orders.list",
    "GET /v1/work-orders/{number}": "work_orders.get",
    "POST /v1/work-orders/{number}/cancel": "work_orders.cancel",
}
"""Route -> the method that calls it."""


class Resources:
    """Every kind of thing that there are calls about."""

    def __init__(self, caller: Caller) -> None:
        self.account_links = AccountLinksCalls(caller)
        self.accounts = AccountsCalls(caller)
        self.audit = AuditCalls(caller)
        self.behaviour = BehaviourCalls(caller)
        self.benign = BenignCalls(caller)
        self.bindings = BindingsCalls(caller)
        self.clients = ClientsCalls(caller)
        self.commands = CommandsCalls(caller)
        self.deployments = DeploymentsCalls(caller)
        self.devices = DevicesCalls(caller)
        self.effects = EffectsCalls(caller)
        self.endpoints = EndpointsCalls(caller)
        self.events = EventsCalls(caller)
        self.findings = FindingsCalls(caller)
        self.gateways = GatewaysCalls(caller)
        self.healthz = HealthzCalls(caller)
        self.incidents = IncidentsCalls(caller)
        self.jobs = JobsCalls(caller)
        self.me = MeCalls(caller)
        self.metrics = MetricsCalls(caller)
        self.parties = PartiesCalls(caller)
        self.policy = PolicyCalls(caller)
        self.readyz = ReadyzCalls(caller)
        self.revisions = RevisionsCalls(caller)
        self.rotate_key = RotateKeyCalls(caller)
        self.rule_actions = RuleActionsCalls(caller)
        self.rules = RulesCalls(caller)
        self.segments = SegmentsCalls(caller)
        self.services = ServicesCalls(caller)
        self.status = StatusCalls(caller)
        self.subscriptions = SubscriptionsCalls(caller)
        self.tenants = TenantsCalls(caller)
        self.tokens = TokensCalls(caller)
        self.undo = UndoCalls(caller)
        self.uploads = UploadsCalls(caller)
        self.use_cases = UseCasesCalls(caller)
        self.work_orders = WorkOrdersCalls(caller)


class AsyncResources:
    """Every kind of thing that there are calls about."""

    def __init__(self, caller: AsyncCaller) -> None:
        self.account_links = AsyncAccountLinksCalls(caller)
        self.accounts = AsyncAccountsCalls(caller)
        self.audit = AsyncAuditCalls(caller)
        self.behaviour = AsyncBehaviourCalls(caller)
        self.benign = AsyncBenignCalls(caller)
        self.bindings = AsyncBindingsCalls(caller)
        self.clients = AsyncClientsCalls(caller)
        self.commands = AsyncCommandsCalls(caller)
        self.deployments = AsyncDeploymentsCalls(caller)
        self.devices = AsyncDevicesCalls(caller)
        self.effects = AsyncEffectsCalls(caller)
        self.endpoints = AsyncEndpointsCalls(caller)
        self.events = AsyncEventsCalls(caller)
        self.findings = AsyncFindingsCalls(caller)
        self.gateways = AsyncGatewaysCalls(caller)
        self.healthz = AsyncHealthzCalls(caller)
        self.incidents = AsyncIncidentsCalls(caller)
        self.jobs = AsyncJobsCalls(caller)
        self.me = AsyncMeCalls(caller)
        self.metrics = AsyncMetricsCalls(caller)
        self.parties = AsyncPartiesCalls(caller)
        self.policy = AsyncPolicyCalls(caller)
        self.readyz = AsyncReadyzCalls(caller)
        self.revisions = AsyncRevisionsCalls(caller)
        self.rotate_key = AsyncRotateKeyCalls(caller)
        self.rule_actions = AsyncRuleActionsCalls(caller)
        self.rules = AsyncRulesCalls(caller)
        self.segments = AsyncSegmentsCalls(caller)
        self.services = AsyncServicesCalls(caller)
        self.status = AsyncStatusCalls(caller)
        self.subscriptions = AsyncSubscriptionsCalls(caller)
        self.tenants = AsyncTenantsCalls(caller)
        self.tokens = AsyncTokensCalls(caller)
        self.undo = AsyncUndoCalls(caller)
        self.uploads = AsyncUploadsCalls(caller)
        self.use_cases = AsyncUseCasesCalls(caller)
        self.work_orders = AsyncWorkOrdersCalls(caller)
