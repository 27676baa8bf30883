import io

from rich.console import Console

from storyboard.progress import PlainProgress, RichProgress


def test_a_terminal_is_shown_the_count_the_time_left_and_what_is_at_hand():
    shown = io.StringIO()
    progress = RichProgress(Console(file=shown, force_terminal=True, width=120))
    with progress.step("drawing panels", 4) as step:
        step.advance(note="p01-1")
        step.advance(2, note="[p01-3]")
        progress.say("[a] line of its own")
    assert "3/4" in shown.getvalue()
    assert "[p01-3]" in shown.getvalue()
    assert "-:--:--" in shown.getvalue() or "0:00:" in shown.getvalue()
    assert "[a] line of its own" in shown.getvalue()


def test_a_pipe_is_sent_only_the_lines_worth_keeping():
    sent = io.StringIO()
    progress = PlainProgress(sent)
    with progress.step("drawing panels", 4) as step:
        step.advance(note="p01-1")
        progress.say("3 of 4 panels to draw")
    assert sent.getvalue() == "3 of 4 panels to draw\n"
