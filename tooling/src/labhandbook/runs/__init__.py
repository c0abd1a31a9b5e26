"""A research run's directory: parameters, metrics, checkpoints, stop on signal; and the commands of a study.

These files can be read without this module:

    params.json              what the run was started with
    metrics.jsonl            one JSON object a line, each with its step
    checkpoints/0000012000/  the state after step 12000, as the program wrote it, and SHA256SUMS with the checksums of
                             these files (`sha256sum -c SHA256SUMS` compares them); a file `best` marks the best
    result.json              the result; it exists if and only if the run has ended well
    result-400.json          the result of step 400, where a finished run was prolonged

A run that was killed continues from its last whole checkpoint. The lines that were logged after it are dropped, so
that no line appears twice.
"""

from labhandbook.core.errors import HandbookError
from labhandbook.runs.charts import Bar, Curve, Panel, bar_chart, line_chart
from labhandbook.runs.checkpoints import Checkpoint, read_checkpoint
from labhandbook.runs.results import as_json, read_results, write_files
from labhandbook.runs.run import Run, read_metrics
from labhandbook.runs.spread import interquartile_mean, interval, overlap, spread
from labhandbook.runs.study_commands import add_results, add_run, add_study, carry_out, whole_number

__all__ = ["Bar", "Checkpoint", "Curve", "HandbookError", "Panel", "Run", "add_results", "add_run", "add_study",
           "as_json", "bar_chart", "carry_out", "interquartile_mean", "interval", "line_chart", "overlap",
           "read_checkpoint", "read_metrics", "read_results", "spread", "whole_number", "write_files"]
