"""What rules, work orders, endpoints and parties answer, for the OpenAPI description."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Next = Field(description="The cursor of the next page; null: there is none.")


class Paused(BaseModel):
    """Who paused a rule, when and why."""

    at: str
    actor: str
    because: str


class Rule(BaseModel):
    """A rule; docs/reference/policy-keys.md says what its document means."""

    rule: str
    in_force: bool = Field(description="False: it is gone, and has left actions.")
    mode: str | None
    acts: bool = Field(description="It does more than say what it would do.")
    revision: int | None
    paused: Paused | None
    approve_above: int | None
    actions: dict[str, int] = Field(description="State -> how many.")
    document: dict[str, Any] | None


class Rules(BaseModel):
    """A page, by name."""

    rules: list[Rule]
    next: str | None = Next


class Trigger(BaseModel):
    """What set an action off."""

    type: str
    id: str
    at: str


class Action(BaseModel):
    """Something that a rule does."""

    id: str
    rule: str
    action: str
    state: str
    result: str | None
    mode: str
    due_at: str
    changed_at: str
    unless: str | None
    trigger: Trigger
    imsi: str | None
    iccid: str | None
    use_case: str | None
    finding: str | None
    incident: int | None
    command: str | None
    approved_by: str | None
    seconded_by: str | None


class Actions(BaseModel):
    """A page, the newest first."""

    actions: list[Action]
    next: str | None = Next


class Approved(BaseModel):
    """What came of an approval."""

    released: int = Field(description="So many are on their way to the gate.")
    awaiting: int = Field(description="So many more need the approval of a second person.")


class Rejected(BaseModel):
    """What came of a rejection."""

    rejected: int


class Undone(BaseModel):
    """What is being taken back, and how far that is."""

    undo: str
    releases: int
    answers: dict[str, int] = Field(description="Answer of the gate -> how many.")
    over: bool
    locked_otherwise: int
    cancelled: int
    takes_s: int


class Took(BaseModel):
    """A revision is in force."""

    model_config = ConfigDict(extra="allow")

    first: int = Field(description="The sequences of the journal that it stands in.")
    last: int
    subscriptions: int
    disconnects: int = Field(description="Live sessions of removed subscriptions that are being cut.")


class PlannedItem(BaseModel):
    """What is planned for one subscription."""

    model_config = ConfigDict(populate_by_name=True)

    iccid: str
    was: str | None
    imei: str | None
    device: bool
    place: bool
    begins: str = Field(alias="from")
    until: str


class MadeOrder(BaseModel):
    """An order that was made, or (`number` null) would be."""

    number: int | None
    kind: str
    title: str
    count: int
    items: list[PlannedItem] = Field(description="The first thousand.")


class Order(BaseModel):
    """A work order."""

    model_config = ConfigDict(populate_by_name=True)

    number: int
    tenant: str = Field(description="Empty: it is about subscriptions of several.")
    kind: str
    title: str
    state: Literal["open", "done", "overdue", "refused", "cancelled"]
    created_at: str
    created_by: str
    because: str
    begins: str = Field(alias="from")
    until: str
    source: str | None
    closed_at: str | None
    items: int
    counts: dict[str, int] = Field(description="State -> how many items.")


class Orders(BaseModel):
    """A page, the newest first."""

    work_orders: list[Order]
    next: str | None = Next


class OrderItem(BaseModel):
    """An item of a work order, as it stands."""

    model_config = ConfigDict(populate_by_name=True)

    iccid: str
    imei: str | None
    device: bool
    place: bool
    begins: str = Field(alias="from")
    until: str
    state: str
    changed_at: str
    was: str | None
    now: str | None
    finding: str | None
    note: str | None


class WholeOrder(Order):
    """One, with its items."""

    of: list[OrderItem]


class CancelledOrder(BaseModel):
    """An order that was taken back."""

    number: int
    state: Literal["cancelled"]
    cancelled: int = Field(description="So many items were still to come.")


class Endpoint(BaseModel):
    """An endpoint of the settings, and how it does."""

    name: str
    kind: str
    url: str
    events: list[str]
    mode: str
    state: str
    failures_in_a_row: int
    waiting: int
    dead: int
    in_flight: int
    delivered: int
    oldest_waiting_at: str | None
    last_error: str | None
    secrets: int = Field(description="How many it signs with.")


class Endpoints(BaseModel):
    """A page, by name."""

    endpoints: list[Endpoint]
    next: str | None = Next


class Party(BaseModel):
    """A party of the settings, and what it owes."""

    name: str
    endpoint: str = Field(description="It is told through this one.")
    use_cases: list[str] = Field(description="Of these; none: of all.")
    may: list[str] = Field(description="What its answer may ask for.")
    acknowledge_within_s: int = Field(description="0: it need not.")
    answers: bool = Field(description="It has a token to answer with.")
    unanswered: int = Field(description="Incidents that are not over, which it was told of and has to acknowledge.")
    overdue: int = Field(description="Those of them that it should have by now.")


class Parties(BaseModel):
    """A page, by name."""

    parties: list[Party]
    next: str | None = Next


class DeadLetter(BaseModel):
    """What could not be delivered."""

    delivery: int
    announcement: str
    type: str
    subject: str
    made_at: str
    attempts: int
    status: int | None
    error: str | None


class DeadLetters(BaseModel):
    """A page, the newest first."""

    dead: list[DeadLetter]
    next: str | None = Next


class Tested(BaseModel):
    """What came of a test."""

    endpoint: str
    delivered: bool
    status: int | None
    error: str | None
    took_ms: int
    id: str


class Redriven(BaseModel):
    """So many dead letters wait again."""

    endpoint: str
    redriven: int


class Redelivered(BaseModel):
    """An announcement waits again."""

    endpoint: str
    announcement: str


class Acknowledged(BaseModel):
    """What was recorded of a party's answer."""

    incident: int
    party: str
    action: str | None
    reason: str
    acknowledged_at: str
    late: bool
    repeated: bool
    command: str | None
    iccid: str | None
