"""The policies of the lab's six use cases, as an owner would write them."""

from __future__ import annotations

from collections.abc import Mapping

WATER_METER_POLICY = """\
# Water meters: fixed, narrow-band, once a day. The SIM belongs in the meter that used it first.
use_case: water-meter
segment: metering
binding: {mode: first-use, not_reported: refuse}
mobility: fixed
networks: {plmn: ["00101", "00102"], rat: [nb-iot, lte-m]}
services: {data: 2 MB/day, sms: none, voice: none}
cadence: {every: 24h, silent_after: 49h}
responses:
  default: refuse
  device-change: lock
  device-change/software: observe
  credentials-wrong: refuse
release_when: bound-device-returns
limits:
  lock: {per_hour: 20, share_of_fleet: 50%}
---
segment: metering
apn: meters.iot
credentials: {pap: metering}
pool: 10.64.0.0/12
quarantine_pool: 10.127.0.0/16
"""

LIFT_ALARM_POLICY = """\
# Lift alarms: people's lives hang on them. The inventory says which modem; whatever happens, tell, never cut.
use_case: lift-alarm
segment: lifts
binding: {mode: declared, not_reported: notify}
mobility: fixed
networks: {plmn: ["00101"], rat: [lte-m, lte]}
responses:
  default: notify
  device-change: lock
  device-change/software: observe
criticality: never-cut
---
segment: lifts
apn: lifts.iot
pool: 10.80.0.0/14
"""

CAR_POLICY = """\
# Cars: they move and roam; a workshop may fit another unit of the same model. Anything else is refused, not locked.
use_case: car
segment: cars
binding: {mode: model, not_reported: refuse}
mobility: free
networks: {plmn: ["00101", "00102"], rat: [lte, nr]}
responses:
  default: refuse
  device-change: refuse
  device-change/software: observe
limits:
  refuse: {per_hour: 200, share_of_fleet: 50%}
---
segment: cars
apn: cars.iot
pool: 10.96.0.0/12
"""

CAMERA_POLICY = """\
# Cameras: on a mast, always on, in any APN (a second one carries alarms).
use_case: camera
binding: {mode: first-use, not_reported: refuse}
mobility: fixed
networks: {plmn: ["00101", "00102"], rat: [lte, nr]}
responses:
  default: notify
  device-change: lock
  device-change/software: observe
release_when: bound-device-returns
limits:
  lock: {per_hour: 20, share_of_fleet: 50%}
"""

TRACKER_POLICY = """\
# Trackers: on containers, by road through any country. The SIM belongs in the tracker that used it first.
use_case: tracker
segment: trackers
binding: {mode: first-use, not_reported: refuse}
mobility: free
responses:
  default: notify
  device-change: lock
  device-change/software: observe
release_when: bound-device-returns
limits:
  lock: {per_hour: 20, share_of_fleet: 50%}
---
segment: trackers
apn: trackers.iot
pool: 10.112.0.0/13
"""

SCOOTER_POLICY = """\
# Rental scooters: within one town, in any modem that was approved; credentials come from the SIM.
use_case: scooter
segment: scooters
binding: {pool: approved-modems, not_reported: refuse}
mobility: {area: town}
networks: {plmn: ["00101", "00102"], rat: [lte-m]}
responses:
  default: notify
  device-change: refuse
  device-change/software: observe
---
segment: scooters
apn: scooters.iot
pool: 10.120.0.0/14
---
area: town
circle: {latitude: 59.405, longitude: 13.238, radius: 25 km}
---
pool: approved-modems
tac: ["00260001"]
"""

PANIC_BUTTON_POLICY = """\
# Panic buttons: they call, and nothing else. Whatever uses data with such a SIM is not the button.
use_case: panic-button
binding: {mode: none}
services: {data: none}
responses: {default: observe}
"""

POLICIES: Mapping[str, str] = {
    "water-meter.yaml": WATER_METER_POLICY, "lift-alarm.yaml": LIFT_ALARM_POLICY, "car.yaml": CAR_POLICY,
    "camera.yaml": CAMERA_POLICY, "tracker.yaml": TRACKER_POLICY, "scooter.yaml": SCOOTER_POLICY,
}  # fmt: skip

OBSERVED_POLICIES: Mapping[str, str] = {
    name: text.replace(": lock\n", ": observe\n").replace("default: refuse", "default: observe")
    .replace("default: notify", "default: observe")
    .replace("device-change: refuse", "device-change: observe").replace("not_reported: refuse", "not_reported: observe")
    .replace("credentials-wrong: refuse", "credentials-wrong: observe")
    for name, text in POLICIES.items()
} | {"panic-button.yaml": PANIC_BUTTON_POLICY}  # fmt: skip
"""The same use cases with nothing but `observe`: every attack is seen and none is stopped. And one more, whose members
are not heard of unless somebody misuses them."""
