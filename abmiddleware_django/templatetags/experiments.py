"""`{% load experiments %}`: the tags `variation` and `ifvariation`."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context, Node, NodeList, TemplateSyntaxError
from django.template.base import FilterExpression, Parser, Token
from django.utils.safestring import SafeString

from abmiddleware import templates
from abmiddleware_django import conf
from abmiddleware_django.templates import client_of

register = template.Library()


@register.simple_tag(takes_context=True)
def variation(context: Context, experiment: Any) -> object:
    """Run an experiment and show the value, escaped, or keep it.

    {% variation "checkout-button" %}
    {% variation "checkout-button" as button %}
    """
    return templates.variation(conf.engine(), _client(context), experiment)


@register.tag
def ifvariation(parser: Parser, token: Token) -> Node:
    """Run an experiment and show what belongs to one of its variations.

    {% ifvariation "checkout-button" "one-click" %} ... {% else %} ... {% endifvariation %}
    """
    bits = token.split_contents()
    if len(bits) != 3:
        raise TemplateSyntaxError(
            f"{{% {token.contents} %}}: has {len(bits) - 1} arguments, must have an experiment and "
            'a variation, such as {% ifvariation "checkout-button" "one-click" %}'
        )
    shown, otherwise = parser.parse(("else", "endifvariation")), NodeList()
    if parser.next_token().contents == "else":
        otherwise = parser.parse(("endifvariation",))
        parser.delete_first_token()
    asked, name = map(parser.compile_filter, bits[1:])
    return IfVariationNode(asked, name, shown, otherwise)


class IfVariationNode(Node):
    """One part of a page for one variation, another for all others."""

    child_nodelists = ("shown", "otherwise")

    def __init__(
        self,
        asked: FilterExpression,
        name: FilterExpression,
        shown: NodeList,
        otherwise: NodeList,
    ) -> None:
        self.asked = asked
        self.name = name
        self.shown = shown
        self.otherwise = otherwise

    def render(self, context: Context) -> SafeString:
        """Return the part that the visitor sees."""
        asked, name = self.asked.resolve(context), self.name.resolve(context)
        is_shown = templates.is_variation(conf.engine(), _client(context), asked, name)
        return (self.shown if is_shown else self.otherwise).render(context)


def _client(context: Context) -> Any:
    # A context of `render(request, ...)` has it even where no processor puts it among the names.
    return client_of(context.get("request") or getattr(context, "request", None))
