"""What a starting gate applies by itself: the files, where nothing was ever applied; settings that it decides by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from simward.engine.apply import Revision
from simward.engine.fold import Fold
from simward.engine.tables import PolicyTables
from simward.errors import ConfigurationError
from simward.policy.compile import IN_FORCE_SETTINGS, MADE, Beside, compile_policy
from simward.policy.inventory import read_inventory
from simward.policy.load import load_policies, read_policies
from simward.policy.plan import Current, plan
from simward.settings import Settings

Say = Callable[[str], None]


def first_revisions(settings: Settings, tell: Say) -> Iterator[Revision]:
    """Policies and inventory as the first revisions of an empty journal; ConfigurationError with all that is wrong."""
    if not settings.policies_dir.is_dir():
        tell(f"no {settings.policies_dir}: nothing is declared, so every subscription is unknown")
        yield replace(PolicyTables.default(), settings=compile_policy(read_policies({}), settings).settings)
        return
    policy = load_policies(settings.policies_dir)
    tables = compile_policy(policy, settings)
    tell("first start: reading the inventory ...")
    inventory = read_inventory(settings.inventory_path, policy)
    wanted = plan(Current.empty(), tables, inventory)
    _, chunks = wanted.deltas()
    yield tables
    for done, chunk in enumerate(chunks, start=1):
        yield chunk
        if done % 10 == 0:
            tell(f"first start: applied {done} of {len(chunks)} parts of the inventory")


def revision_of_settings(settings: Settings, fold: Fold) -> Iterator[Revision]:
    """The policy in force once more, where simward.toml now says something else that the fold decides by.

    The documents are those in force, not those in the folder: what changed there waits for `simward apply`.
    """
    held = fold.state.policy
    documents = {name: text for name, text in held.sources.items() if name not in MADE}
    try:
        wanted = compile_policy(read_policies(documents), settings, Beside.of(held))
    except ConfigurationError:
        # Accepted by an earlier version and not by this one: the tables stay, only what strangers get is as set.
        now = compile_policy(read_policies({}), settings, Beside.of(held))
        wanted = replace(held, settings=now.settings, sources={**held.sources, **_settings_of(now)})
    if wanted.sources.get(IN_FORCE_SETTINGS) != held.sources.get(IN_FORCE_SETTINGS):
        yield wanted


def _settings_of(tables: PolicyTables) -> dict[str, str]:
    return {IN_FORCE_SETTINGS: tables.sources[IN_FORCE_SETTINGS]}
