"""Every metric once: its name, kind, sentence and label; and the buckets of all."""

from typing import Final, Literal, NamedTuple

LABEL_VALUES: Final = 64
"""A label has at most this many values; what comes later is counted under `other`."""

MILLISECONDS_AND_UP: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Bucket bounds in seconds, with 1 s and 250 ms, the goals for post to display, among them."""

Kind = Literal["counter", "gauge", "histogram"]


class Metric(NamedTuple):
    """One metric. `values` are those that its label starts with, so that a rate is there before the first event."""

    name: str
    kind: Kind
    sentence: str
    label: str = ""
    values: tuple[str, ...] = ()


def _counter(name: str, sentence: str, label: str = "", values: tuple[str, ...] = ()) -> Metric:
    return Metric(f"uproar_{name}_total", "counter", sentence, label, values)


def _gauge(name: str, sentence: str, label: str = "") -> Metric:
    return Metric(f"uproar_{name}", "gauge", sentence, label)


def _seconds(name: str, sentence: str) -> Metric:
    return Metric(f"uproar_{name}_seconds", "histogram", sentence)


POSTS = _counter("posts", "Posts answered, by how.", "outcome", ("ok", "refused", "unknown"))
REFUSALS = _counter("refusals", "Refusals given, by reason of the catalogue.", "reason")
ACK_SECONDS = _seconds("ack", "From a post's arrival to its ack.")
POST_TO_DISPLAY_SECONDS = _seconds("post_to_display", "From a comment's id to its frame at the sockets.")
FANOUT_FRAME_SECONDS = _seconds("fanout_frame", "From a window's end to its frame kept and announced.")
FRAMES = _counter("frames", "Frames that gateways took in, once a gateway.")
DELIVERIES = _counter(
    "deliveries", "Frames handed to viewers' sockets, by form.", "form", ("plain", "alone", "chained")
)
VIEWERS = _gauge("viewers", "Viewers connected.")
STREAMS = _gauge("streams", "Streams with viewers, added up over the gateways.")
GATEWAYS = _gauge("gateways", "Processes that serve viewers.")
LAGGING_VIEWERS = _gauge("lagging_viewers", "Viewers whose socket is full.")
SKIPPED = _counter("skipped", "Frames that viewers missed because they were too slow.")
RESUMES = _counter("resumes", "Viewers back with a position, by whether all was recovered.", "recovered", ("yes", "no"))
STORE_READS = _counter("store_reads", "Reads of the store.")
TIMELINE_READS = _counter("timeline_reads", "Reads of the timeline for who comes, comes back or missed something.")
LOG_LAG = _gauge("log_lag", "Events that a group has not committed.", "group")
DEAD_LETTERS = _counter("dead_letters", "Events that a group has given up.", "group")
LEFT_OUT = _counter("left_out", "Comments that sampling left out.")
REACTIONS = _counter("reactions", "Reactions counted.")
DROPPED_REACTIONS = _counter(
    "dropped_reactions", "Reaction messages dropped or refused: more than a connection or user may send."
)
CLOSES = _counter("closes", "Connections closed by this server, by close code.", "code")
HANDSHAKES_REFUSED = _counter("handshakes_refused", "Upgrades refused, by HTTP status.", "status")
CONNECTIONS_REFUSED = _counter("connections_refused", "HTTP connections refused: their address has all it may have.")
LOOP_LAG_SECONDS = _seconds("loop_lag", "How late the event loop's beat was.")
ASIDES_DROPPED = _counter("asides_dropped", "Personal messages over a frame's bound.")

METRICS: Final = (
    POSTS,
    REFUSALS,
    ACK_SECONDS,
    POST_TO_DISPLAY_SECONDS,
    FANOUT_FRAME_SECONDS,
    FRAMES,
    DELIVERIES,
    VIEWERS,
    STREAMS,
    GATEWAYS,
    LAGGING_VIEWERS,
    SKIPPED,
    RESUMES,
    STORE_READS,
    TIMELINE_READS,
    LOG_LAG,
    DEAD_LETTERS,
    LEFT_OUT,
    REACTIONS,
    DROPPED_REACTIONS,
    CLOSES,
    HANDSHAKES_REFUSED,
    CONNECTIONS_REFUSED,
    LOOP_LAG_SECONDS,
    ASIDES_DROPPED,
)
