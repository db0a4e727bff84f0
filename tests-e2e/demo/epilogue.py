"""What the demo leaves behind: a verdict, addresses, logins, and three requests to go on with."""

from __future__ import annotations

from demo.stage import PASSWORD, Stage


def print_epilogue(stage: Stage, took_s: float) -> None:
    """Say what held, and where to go on."""
    show, url = stage.show, stage.facts.gateway_url
    held = show.checks - len(show.failures)
    verdict = "[green]everything held[/green]" if not show.failures else f"[red]{len(show.failures)} did not hold[/red]"
    show.console.print(f"\n[bold]{held} of {show.checks} checks, {took_s:.0f} s: {verdict}[/bold]")
    for failure in show.failures:
        show.console.print(f"   [red]✗[/red] {failure}")
    show.console.print(
        f"""
The stack is up.
   API                    {url}/v1
   API and event pages    {url}/docs
   chat, in a browser     {url}/chat/
   text messages, mails   {stage.facts.sandbox_url}
   a buyer                nok.{stage.run_id}@example.com   {PASSWORD}
   a seller               somsri.seller@example.com   {PASSWORD}

Go on with:
   curl -s '{url}/v1/products?q=kopi&limit=3' -H 'Accept-Language: id' | python3 -m json.tool
   TOKEN=$(curl -s {url}/v1/sessions -H 'Content-Type: application/json' \\
     -d '{{"method":"password","email":"nok.{stage.run_id}@example.com","password":"{PASSWORD}"}}' \\
     | python3 -c 'import json,sys; print(json.load(sys.stdin)["access_token"])')
   curl -s {url}/v1/orders -H "Authorization: Bearer $TOKEN" | python3 -m json.tool

`make status` shows every part, `make down` stops them.""",
        markup=False,
    )
