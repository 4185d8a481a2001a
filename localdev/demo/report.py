"""What became of every mail of a demo, and what it cost: the figures, and whether all is well."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of one run. `--json` writes those that are no check.

    Args:
        mails: mails put into the mailbox.
        delivered: mails that the target has accepted, each counted once.
        dead: deliveries that ended as dead letters.
        unmatched: deliveries that matched no condition.
        callbacks: requests that the target got.
        duplicate_callbacks: those of them for a message that it had accepted before.
        post_processed: mails that were acted upon in the mailbox as asked.
        left_in_folder: mails that the subscription would still list.
        lost_answers: acceptances whose answer the target was made to lose.
        too_early: mails acted upon before the target had accepted them.
        finished: whether it all came to an end in time.
    """

    mails: int
    delivered: int
    dead: int
    unmatched: int
    callbacks: int
    duplicate_callbacks: int
    post_processed: int
    left_in_folder: int
    graph_requests: int
    graph_round_trips: int
    graph_429s: int
    seconds: float
    worker_cpu_seconds: float | None
    worker_peak_rss_mb: float | None
    lost_answers: int
    too_early: int
    finished: bool

    @property
    def problems(self) -> list[str]:
        """Why not every mail is accounted for; empty where each is."""
        accounted = self.delivered + self.dead + self.unmatched
        checks = (
            (self.finished, "it did not come to an end in time"),
            (accounted == self.mails, f"{self.mails - accounted} mails are unaccounted for"),
            (self.post_processed == self.delivered, "not every accepted mail was post-processed"),
            (self.left_in_folder == self.mails - self.post_processed, "mails stayed unexplained"),
            (self.too_early == 0, f"{self.too_early} mails were acted upon before acceptance"),
            (
                self.duplicate_callbacks <= self.lost_answers,
                "the target got messages again although it had answered",
            ),
        )
        return [problem for holds, problem in checks if not holds]

    def to_json(self) -> dict[str, float | int | None]:
        """The figures of `--json`."""
        fields = asdict(self)
        for check in ("lost_answers", "too_early", "finished"):
            del fields[check]
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in fields.items()
        }

    def table(self) -> Table:
        """The figures for a person."""
        table = Table(title="What became of every mail", show_header=False)
        for name, value in self.to_json().items():
            table.add_row(name.replace("_", " "), _text(value))
        table.add_row("Graph requests a mail", f"{self.graph_requests / self.mails:.3f}")
        table.add_row("round trips a mail", f"{self.graph_round_trips / self.mails:.3f}")
        if self.worker_cpu_seconds is not None:
            cpu = f"{1000 * self.worker_cpu_seconds / self.mails:.2f} ms"
            table.add_row("worker CPU a mail, start included", cpu)
        return table


def _text(value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
