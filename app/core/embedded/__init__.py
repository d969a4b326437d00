"""The embedded server: a PostgreSQL of our own in a data folder of its own, under a small supervisor.

`EmbeddedServer.start(folder)` returns when the server accepts connections, `stop()` when it is down. In between:

* **One owner.** A lock on `<folder>/postgres.lock` comes before anything else and ends with the owner's process,
  however that ends. A second owner gets DataFolderBusy, with the folder and the first one's process id. Worker
  processes only connect; `running_url` tells other programs where.
* **All or nothing.** `initdb` works under a temporary name beside the final one and is renamed when done; what an
  interrupted one left is removed by the next start.
* **Closed.** The server listens on one unix socket, in a folder that only its own account can enter, and on no TCP
  port. Whoever can enter needs no password; nobody else can ask. Where the folder's path is too long for a socket,
  a short private one is taken.
* **No orphans.** The server is a direct child of the watchdog thread and asks the kernel (Linux) for SIGQUIT at
  that thread's death, so `kill -9` of the owner ends it too. Whatever is left all the same (another system, a
  backend that had lost its postmaster) is ended before the next start, and stale pid and socket files with it,
  even when their number now belongs to a stranger or a zombie.
* **No root.** Run by root, the server gets the account that owns the data, else `wangge`, `postgres` or `nobody`.
  Where this account cannot enter the data folder or reach the programs, both are put below
  /var/lib/wangge-postgres (the data folder then holds a link); nobody's permissions are loosened.
* **Crashes.** When the postmaster dies the watchdog starts it again on the same data and socket: at once, and after
  repeated crashes with growing pauses. fsync is on, so what was committed is there.
* **Quiet.** The log holds starts, stops and crashes, but no statement, no value and no ordinary error.

    server.py       the supervisor            postmaster.py   the cluster and its process
    data_folder.py  owner, home, log          folder_lock.py  the lock
    account.py      as whom it runs           apart.py        root's place apart
    binaries.py     where the programs are    sockets.py      where the socket lies
    parented.py     the launcher (a script)
"""

from app.core.embedded.account import DataFolderUnusable
from app.core.embedded.binaries import NoPostgres, find_binaries, installed_postgres
from app.core.embedded.data_folder import DataFolderBusy
from app.core.embedded.postmaster import ServerFailed
from app.core.embedded.server import EmbeddedServer

__all__ = [
    "DataFolderBusy",
    "DataFolderUnusable",
    "EmbeddedServer",
    "NoPostgres",
    "ServerFailed",
    "find_binaries",
    "installed_postgres",
]
