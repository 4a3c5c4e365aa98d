"""``python -m qa_runner`` is the command ``qa-runner``."""

from qa_runner.cli import main

if __name__ == "__main__":
    main(prog_name="qa-runner")
