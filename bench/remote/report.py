# SPDX-License-Identifier: Apache-2.0
"""Figures as a table: median (smallest–largest) and the ratio to ours."""
import statistics


def spread(values, digits=1):
    if not values:
        return "–"
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f}–{max(values):.{digits}f})")


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))]


def table(title, columns, rows):
    """rows: lists of text, the first cell is the name."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(columns) + " |")
    print("|" + " --- |" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(cell).replace("|", r"\|") for cell in row) + " |")
    print(flush=True)


def compare(title, unit, results, ours="vma", digits=1, more=None):
    """results: {tool: [values]}; the ratio says how many times ours each tool takes."""
    base = statistics.median(results[ours]) if results.get(ours) else None
    rows = []
    for name, values in results.items():
        if not values:
            rows.append([name, "did not finish", "–"] + ([""] if more else []))
            continue
        ratio = f"{statistics.median(values) / base:.2f}" if base else "–"
        rows.append([name, spread(values, digits), ratio] + ([more.get(name, "")] if more else []))
    columns = ["tool", f"{unit}: median (min–max)", f"× {ours}"]
    table(title, columns + ([""] if more else []), rows)
