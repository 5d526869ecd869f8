"""Tells Dayfly what a playbook does: a line of JSON for each event, behind a mark.

Ansible runs this file in its own Python.
"""

from __future__ import annotations

import json
import sys

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: dayfly
type: stdout
author: Dayfly
short_description: events as lines of JSON
description: Read by Dayfly, which told Ansible to use it.
"""

MARK = "\x1edayfly "
TEXTS = ("msg", "module_stderr", "module_stdout", "stderr", "stdout")
PAUSES = {"pause", "ansible.builtin.pause", "ansible.legacy.pause"}


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "dayfly"

    def v2_playbook_on_task_start(self, task, is_conditional):
        tell("task", name=task.get_name().strip())
        if task.action in PAUSES and not {"minutes", "seconds"} & set(task.args):
            tell("asked", what=f"the task {task.get_name().strip()!r} waits for a person")

    def v2_playbook_on_handler_task_start(self, task):
        self.v2_playbook_on_task_start(task, is_conditional=False)

    def v2_playbook_on_vars_prompt(self, varname, *_more, **_named):
        tell("asked", what=f"vars_prompt asks for {varname}")

    def v2_runner_on_ok(self, result):
        if result._result.get("changed"):
            tell("changed", name=result._task.get_name().strip())

    def v2_runner_on_failed(self, result, ignore_errors=False):
        if not ignore_errors:
            tell("failed", name=result._task.get_name().strip(), says=said(result._result))

    def v2_runner_on_unreachable(self, result):
        self.v2_runner_on_failed(result)

    def v2_playbook_on_stats(self, stats):
        tell("ended", played=bool(stats.processed))


def said(result):
    """What a failed task printed; of a loop what its failed items did."""
    items = [item for item in result.get("results", ()) if item.get("failed")]
    texts = [result.get(name) for name in TEXTS]
    told = [str(text).strip() for text in texts if text and str(text).strip()]
    told += [f"{item.get('item')}: {said(item)}" for item in items]
    if "censored" in result:
        told.append(str(result["censored"]))
    return "\n".join(dict.fromkeys(told))


def tell(kind, **data):
    sys.stdout.write(f"{MARK}{json.dumps({'kind': kind, **data}, default=str)}\n")
    sys.stdout.flush()
