"""`pytest harness` is the matrix: see matrix/plugin.py."""

pytest_plugins = ("harness.matrix.plugin",)
