"""`uproar docs`: the pages of docs/ that are made from the code."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from uproar.cli.protocol_page import protocol_page
from uproar.cli.tables import MADE, table
from uproar.observe.names import LABEL_VALUES, METRICS, MILLISECONDS_AND_UP, Metric
from uproar.settings import Line, manual


def docs(
    out: Annotated[Path, typer.Option(help="The directory of the pages.")] = Path("docs"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; end with 1 where a page is stale.")] = False,
) -> None:
    """Write the pages of docs/ that are made from the code, or check them."""
    stale = [name for name, page in PAGES.items() if not _same(out / name, page())]
    if not check:
        out.mkdir(parents=True, exist_ok=True)
        for name in stale:
            (out / name).write_text(PAGES[name](), encoding="utf-8")
    for name in stale:
        print(f"{out / name} {'is stale: uproar docs' if check else 'is new'}")
    raise typer.Exit(bool(check and stale))


def settings_page() -> str:
    """docs/settings.md."""
    return f"""# Settings

{MADE}

Each layer goes before the one below it: flags of `uproar serve`, the environment (`UPROAR_…`), `uproar.toml` in the
current directory (or `--config FILE`), the default. Lists are comma-separated in the environment. A setting that is
unknown or impossible stops the start with one sentence; `uproar config --check` says it beforehand, and `uproar config`
prints every value and where it comes from.

{table(("setting", "environment", "default", "may be", "what it is"), map(_setting_row, manual()))}"""


def metrics_page() -> str:
    """docs/metrics.md."""
    return f"""# Metrics

{MADE}

Prometheus reads them at `http://127.0.0.1:9090/metrics` (settings `admin_host`, `admin_port`). A label has at most
{LABEL_VALUES} values; what comes after those is counted as `other`. The buckets of every histogram, in seconds:
{", ".join(f"{bound:g}" for bound in MILLISECONDS_AND_UP)}.

{table(("metric", "kind", "label", "what it counts"), map(_metric_row, METRICS))}"""


PAGES: Final[dict[str, Callable[[], str]]] = {
    "settings.md": settings_page,
    "metrics.md": metrics_page,
    "protocol.md": protocol_page,
}


def _same(file: Path, page: str) -> bool:
    return file.exists() and file.read_text(encoding="utf-8") == page


def _setting_row(line: Line) -> Iterable[str]:
    default = f"`{line.default}`" if line.default else "none"
    return f"`{line.name}`", f"`{line.environment}`", default, line.bounds, line.sentence


def _metric_row(metric: Metric) -> Iterable[str]:
    values = f": {', '.join(metric.values)}" if metric.values else ""
    return f"`{metric.name}`", metric.kind, f"`{metric.label}`{values}" if metric.label else "", metric.sentence
