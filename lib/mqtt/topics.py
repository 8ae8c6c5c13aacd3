"""Which topics a filter matches (§4.7)."""


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a topic name matches a filter; wildcards do not match a first level that begins with $ (§4.7.2)."""
    if topic[:1] == "$" and topic_filter[:1] in ("+", "#"):
        return False
    want = topic_filter.split("/")
    have = topic.split("/")
    for i, level in enumerate(want):
        if level == "#":
            return True
        if i >= len(have) or (level != "+" and level != have[i]):
            return False
    return len(want) == len(have)
