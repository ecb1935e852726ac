"""What pytest shows of the decorated tests: what was tried, in the summary and in reports."""

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    try:
        return (yield)
    finally:
        tried = getattr(getattr(item, "obj", None), "everysplit", None)
        if isinstance(tried, str):
            item.user_properties.append(("everysplit", tried))


def pytest_terminal_summary(terminalreporter):
    reports = [report for key in ("passed", "failed") for report in terminalreporter.stats.get(key, [])]
    lines = [
        f"{report.nodeid}: {value}"
        for report in reports
        for name, value in getattr(report, "user_properties", [])
        if name == "everysplit" and report.when == "call"
    ]
    if lines:
        terminalreporter.section("everysplit")
        for line in lines:
            terminalreporter.line(line)
