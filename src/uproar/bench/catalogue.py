"""All profiles, by name."""

from typing import Final

from uproar.bench.profile import Profile
from uproar.bench.profiles.comments import COMMENTS
from uproar.bench.profiles.endurance import ENDURANCE
from uproar.bench.profiles.gateways import GATEWAYS
from uproar.bench.profiles.idle import IDLE
from uproar.bench.profiles.lives import KILLS, START
from uproar.bench.profiles.mega import MEGA
from uproar.bench.profiles.overload import OVERLOAD
from uproar.bench.profiles.platform import PLATFORM
from uproar.bench.profiles.posting import ACKS, GROWTH, POSTS, REST_POSTS
from uproar.bench.profiles.promises import AWAY, REMOVAL
from uproar.bench.profiles.slow import SLOW
from uproar.bench.profiles.spike import SPIKE
from uproar.bench.profiles.steady import LATENCY, ROUNDS, SCALING, STEADY
from uproar.bench.profiles.storm import STORM

PROFILES: Final[dict[str, Profile]] = {
    profile.name: profile
    for profile in (
        STEADY,
        LATENCY,
        COMMENTS,
        ROUNDS,
        SCALING,
        OVERLOAD,
        GATEWAYS,
        IDLE,
        STORM,
        SLOW,
        SPIKE,
        MEGA,
        PLATFORM,
        ACKS,
        POSTS,
        REST_POSTS,
        REMOVAL,
        AWAY,
        GROWTH,
        KILLS,
        START,
        ENDURANCE,
    )
}
