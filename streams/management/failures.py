"""How commands fail: a sentence on standard error, and 2 for what was typed wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db.utils import OperationalError

from streams.errors import MalformedKey, SourceError, UnknownStream
from streams.rules.errors import PatternError

# So much of a filter is shown on each side of what is wrong with it.
_AROUND = 60


@contextmanager
def explained() -> Iterator[None]:
    """Turn known errors into a sentence and an exit code."""
    try:
        yield
    except (UnknownStream, MalformedKey) as error:
        raise CommandError(str(error), returncode=2) from error
    except PatternError as error:
        raise CommandError(pointed_out(error), returncode=2) from error
    except SourceError as error:
        raise CommandError(f"{error.sentence}\n{error.fix}".strip(), returncode=1) from error
    except OperationalError as error:
        raise CommandError(
            f"The database does not answer ({str(error).splitlines()[0]}). Start Deltawatch with "
            "`make up` or `make demo`, or set DATABASE_URL.",
            returncode=1,
        ) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        # The reader of our output has gone (as `head` does): not an error.
        raise SystemExit(0) from None


def pointed_out(error: PatternError) -> str:
    """The filter's line with a mark under the place, and what is wrong there."""
    begin = error.text.rfind("\n", 0, error.position) + 1
    end = error.text.find("\n", error.position)
    begin = max(begin, error.position - _AROUND)
    end = min(len(error.text) if end < 0 else end, error.position + _AROUND)
    shown = error.text[begin:end].expandtabs(1).encode("utf-8", "backslashreplace").decode()
    return f"{shown}\n{' ' * (error.position - begin)}^\n{error.reason}."
