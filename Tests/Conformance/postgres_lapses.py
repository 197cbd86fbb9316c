"""Database connections that end without warning."""
import subprocess

from stage import Stage


def terminate_backends(stage: Stage, share: float) -> int:
    """Ends some of the server's connections, whatever they are doing."""
    try:
        return len(
            stage.sql(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                f"where pid <> pg_backend_pid() and backend_type = 'client backend' and random() < {share}"
            )
        )
    except subprocess.CalledProcessError:
        return 0  # The server is just recovering.
