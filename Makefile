# Every target needs only Python 3.11 or later: scripts/in-venv makes and completes .venv first (see scripts/bootstrap.py).
#   make demo PORT=9000 WANGGE_DATA=~/township     make test ARGS="tests/domain -k slots"     make demo PYTHON=python3.12

SHELL = /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test soak mutants lint style types layers migrations image bench lock clean

DEMO = exec sh scripts/in-venv demo
DEV = exec sh scripts/in-venv dev

help: ## what there is
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name what; do printf '  make %-7s %s\n' "$$name" "$$what"; done

demo: ## the township 东观镇 on an embedded PostgreSQL: http://127.0.0.1:8000/docs
	@$(DEMO) wangge demo $(ARGS)

test: ## every test, on an embedded PostgreSQL or the one at DATABASE_URL
	@$(DEV) pytest -n 2 -rs $(ARGS)

soak: ## the long tests, for an hour: minutes under load, thousands of runs of the model, hundreds of kills
	@export WANGGE_TEST_SOAK_SECONDS=600 WANGGE_TEST_MODEL_RUNS=2000 WANGGE_TEST_MODEL_STEPS=60 \
		WANGGE_TEST_PUSH_KILLS=200 WANGGE_TEST_POSTGRES_KILLS=50 WANGGE_TEST_MUTATED_CODES=1000000 WANGGE_TEST_RANDOM_DAYS=30; \
	$(DEV) pytest -n 2 --dist loadfile -rs --durations=9 tests/sync/test_storms.py tests/sync/test_model.py \
		tests/sync/test_deliveries.py tests/resilience/test_push_kills.py tests/domain/test_passes.py \
		tests/services/test_random_days.py $(ARGS)

mutants: ## break each promise of sync on purpose, and see that its test notices
	@$(DEV) python -m tests.mutants $(ARGS)

lint: style types layers migrations image ## style, types, layers, migrations, Dockerfile (-k: go on after the first)

style:
	@$(DEV) ruff check .
	@$(DEV) ruff format --check .

types:
	@$(DEV) mypy

layers:
	@$(DEV) lint-imports

migrations:
	@$(DEV) python scripts/lint_migrations.py

image:
	@$(DEV) hadolint Dockerfile

bench: ## how fast, as ratios to pgbench on this machine
	@$(DEV) python -m bench $(ARGS)

lock: ## write requirements/ anew from pyproject.toml (UPGRADE=1: newest versions)
	@exec sh scripts/in-venv lock python scripts/lock.py

clean: ## remove .venv and caches; the demo's data stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
