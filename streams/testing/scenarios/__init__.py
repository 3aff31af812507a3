"""Random scenarios: the real engine, in real processes that are really killed, against the
simulated service on which everything goes wrong; then what is stored is held against what was
served.

`plan.py` makes a scenario from a seed, `play.py` carries it out, `crew.py` starts and kills the
engine's processes, `clocks.py` moves all clocks together, `check.py` compares with the truth,
`bugs.py` holds mistakes that the check must find.
"""
