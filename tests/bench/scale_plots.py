"""The plots of docs/performance.md, as SVG. python3-matplotlib is wanted for them alone."""
try:
    import matplotlib
    import matplotlib.ticker
except ImportError:
    matplotlib = None

COLOURS = {"bare": "#777777", "plain": "#1f77b4", "chaos": "#d62728", "stock": "#2ca02c", "encoded": "#9467bd"}


def lines(axes, results, names, *keys):
    for way, name in names.items():
        points = [(n, results.middle("loopback", way, n, *keys)) for n in results.sizes("loopback", way)]
        points = [(n, value) for n, value in points if value]
        if points:
            axes.plot(*zip(*points), marker="o", markersize=4, color=COLOURS[way], label=name)


def finish(figure, axes, title, unit, path):
    axes.set(title=title, xlabel="participants", ylabel=unit, xscale="log", yscale="log")
    axes.set_xticks([10, 100, 500, 1500, 4000], ["10", "100", "500", "1500", "4000"])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axes.grid(True, alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def draw(results, names, stated, folder):
    if matplotlib is None:
        return "plots: left as they are, there is no python3-matplotlib"
    matplotlib.use("svg")
    import matplotlib.pyplot as plot
    matplotlib.rcParams.update({"svg.hashsalt": "scale", "svg.fonttype": "none", "font.size": 9})
    for file, title, unit, keys, theirs in (
            ("scale-cost", "CPU time of the sender", "µs a packet", ("sender_us",), None),
            ("scale-cores", "Processors that the sender takes", "cores", ("sender_cores",), 1),
            ("scale-lateness", "Lateness, 99th percentile", "ms", ("late_ms", "p99"), None),
            ("scale-memory", "Memory of the sender", "MiB", ("rss_mib",), 0)):
        figure, axes = plot.subplots(figsize=(6.4, 3.8))
        lines(axes, results, names, *keys)
        if theirs is not None:
            values = [row[theirs] * (954 if theirs == 0 else 1) for row in stated.values()]
            axes.plot(list(stated), values, "k--", marker="x", markersize=5, label="the old tool, as it states")
        finish(figure, axes, title, unit, folder / f"{file}.svg")
        plot.close(figure)
    return f"plots: {folder}/scale-*.svg"
