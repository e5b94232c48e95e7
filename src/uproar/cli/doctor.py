"""`uproar doctor`: what is wrong with this machine or data directory, and how to mend it."""

from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from uproar.cli.configuration import ConfigFlag, DataFlag, configure
from uproar.cli.finding import BROKEN, OK, WARNING, Finding
from uproar.cli.holding import HOLDING
from uproar.cli.machine import MACHINE

STYLES = {OK: "green", WARNING: "yellow", BROKEN: "bold red"}


def doctor(data: DataFlag = None, config: ConfigFlag = None) -> None:
    """Say what is wrong with this machine or data directory. Ends with 1 where something is broken."""
    console = Console(soft_wrap=True)
    settings = configure(config, data=data).settings
    findings = [check(settings, Path(settings.data)) for check in (*MACHINE, *HOLDING)]
    for finding in findings:
        console.print(_told(finding))
    raise typer.Exit(any(finding.state == BROKEN for finding in findings))


def _told(finding: Finding) -> Text:
    text = Text.assemble((f"{finding.state:8}", STYLES[finding.state]), finding.what)
    return text.append(f"\n        {finding.mend}") if finding.mend else text
