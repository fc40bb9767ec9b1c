# SPDX-License-Identifier: ISC
"""Medians and quartiles of what was measured, tables of them, and where the
broker is not first.  Pure: no processes and no files."""
import statistics
from collections import Counter, namedtuple

# factor: of the printed number.  more: more is better.
Figure = namedtuple("Figure", "title factor digits more", defaults=(False,))
FIGURES = {
    "cpu_us": Figure("CPU, us", 1, 1),
    "rate": Figure("rate, 1/s", 1, 0, True),
    "p50_us": Figure("p50, us", 1, 0),
    "p99_us": Figure("p99, us", 1, 0),
    "p999_us": Figure("p99.9, us", 1, 0),
    "wakeups": Figure("wake-ups", 1, 2),
    "spread": Figure("busiest quarter", 100, 0),
    "memory_kib": Figure("memory, MiB", 1 / 1024, 1),
}


def quartiles(values):
    return (statistics.quantiles(values, n=4) if len(values) > 1 else
            list(values) * 3)


def ratios(ours, theirs):
    """Quartiles of the ratios in each round, or None if there are none."""
    pairs = [a / b for a, b in zip(ours, theirs)
             if a is not None and b is not None and b > 0]
    return quartiles(pairs) if pairs else None


def values_of(results, field):
    return [getattr(one, field, None) for one in results]


def rows_of(group, found, memory):
    """One row for each cell that was measured.  found: {(load, side):
    [Result]}; memory: {(load, side): KiB}."""
    rows = []
    for cell, results in found.items():
        load, side = cell
        row = {"group": group.name, "load": load, "side": side,
               "rounds": len(results), "figures": {},
               "lost": dict(sum((Counter(one.lost) for one in results),
                                Counter()))}
        references = {name: other for name, other in
                      group.references(load, side).items() if other in found}
        for field in FIGURES:
            ours = ([memory.get(cell)] if field == "memory_kib" else
                    values_of(results, field))
            known = [value for value in ours if value is not None]
            if not known:
                continue
            row["figures"][field] = {"median": statistics.median(known)}
            for name, other in references.items():
                theirs = ([memory.get(other)] if field == "memory_kib" else
                          values_of(found[other], field))
                between = ratios(ours, theirs)
                if between:
                    row["figures"][field]["to " + name] = between
        rows.append(row)
    return rows


def behind(group, found, memory):
    """Where the broker is behind another one by more than the rounds differ:
    [(load, side, field, rival, ratio)].  A rival that loses connections is
    ahead of nobody."""
    places = []
    for (load, side), results in found.items():
        for rival in group.rivals.get(side, ()):
            theirs = found.get((load, rival))
            if theirs is None or any(one.lost for one in theirs):
                continue
            for field, figure in FIGURES.items():
                if field == "memory_kib":
                    between = ratios([memory.get((load, side))],
                                     [memory.get((load, rival))])
                else:
                    between = ratios(values_of(results, field),
                                     values_of(theirs, field))
                if between and (between[2] < 1 if figure.more else
                                between[0] > 1):
                    places.append((load, side, field, rival, between[1]))
    return places


def verdict(places):
    """The last line: where the broker is not first.  places: {name of a group:
    what behind() returns}."""
    parts = []
    for group, found in places.items():
        for cell in dict.fromkeys(place[:2] for place in found):
            texts = ["%s %.2f times %s" % (FIGURES[field].title.split(",")[0],
                                           ratio, rival)
                     for *its, field, rival, ratio in found
                     if tuple(its) == cell]
            parts.append("%s, %s, %s: %s" % (group, *cell, ", ".join(texts)))
    return ("not first: " + "; ".join(parts) if parts else
            "first everywhere but for direct acceptance")


def cell_text(field, values):
    """The median, and the ratio to the first reference with quartiles."""
    figure = FIGURES[field]
    text = "%.*f" % (figure.digits, values["median"] * figure.factor)
    if field == "spread":
        return text + " %"
    for name, between in values.items():
        if name != "median":
            low, middle, high = between
            text += ": %.2f" % middle
            if field != "memory_kib":
                text += " (%.2f %.2f)" % (low, high)
            break
    return text


def lost_text(lost):
    return ", ".join("%d %s" % (count, name) for name, count in
                     lost.items()) or "0"


SHORT = (("K=1", "cpu_us"), ("K=1", "p50_us"), ("K=64", "cpu_us"),
         ("K=64", "rate"), ("K=64", "p99_us"), ("4,000 waiting", "p99_us"))


def short_table(rows):
    """The most important ratios to direct acceptance."""
    rows = [row for row in rows if row["group"] == "handoff"]
    lines = ["| | %s |" % " | ".join(
        "%s, %s" % (FIGURES[field].title.split(",")[0], load)
        for load, field in SHORT), "|---" * (len(SHORT) + 1) + "|"]
    for side in dict.fromkeys(row["side"] for row in rows):
        figures = {row["load"]: row["figures"] for row in rows
                   if row["side"] == side}
        cells = [figures.get(load, {}).get(field, {}).get("to direct")
                 for load, field in SHORT]
        lines.append("| %s | %s |" % (side, " | ".join(
            "%.2f" % cell[1] if cell else "-" for cell in cells)))
    return lines


def references_of(rows):
    """What the figures are compared with, the most important one first."""
    return list(dict.fromkeys(
        name for row in rows for name in row["figures"].get("cpu_us", ())
        if name != "median")) or [None]


def table(rows):
    """The rows of one load, as lines of Markdown."""
    fields = [field for field in FIGURES
              if any(field in row["figures"] for row in rows)]
    others = references_of(rows)[1:]
    lines = [["%s, %d rounds" % (rows[0]["load"], rows[0]["rounds"])] +
             [FIGURES[field].title for field in fields] +
             ["CPU " + name for name in others] + ["lost"]]
    for row in rows:
        cells = [row["side"]]
        for field in fields:
            values = row["figures"].get(field)
            cells.append(cell_text(field, values) if values else "-")
        for name in others:
            between = row["figures"].get("cpu_us", {}).get(name)
            cells.append("%.2f (%.2f %.2f)" % (between[1], between[0],
                                               between[2])
                         if between else "-")
        lines.append(cells + [lost_text(row["lost"])])
    widths = [max(map(len, column)) for column in zip(*lines)]
    lines.insert(1, ["-" * width for width in widths])
    return ["| %s |" % " | ".join(
        text.ljust(width) for text, width in zip(line, widths))
            for line in lines]
