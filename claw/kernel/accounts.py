"""Users and groups of the system. See getpwnam(3), getgrnam(3), getgrouplist(3)."""

import grp
import os
import pwd


def user_id(name: str) -> int | None:
    """Return the number of a user named by name or number; None: there is none."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return int(name) if name.isdecimal() else None


def group_id(name: str) -> int | None:
    """Return the number of a group named by name or number; None: there is none."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return int(name) if name.isdecimal() else None


def user_names() -> list[str]:
    """Return the names of all users that can be listed."""
    return [one.pw_name for one in pwd.getpwall()]


def group_names() -> list[str]:
    """Return the names of all groups that can be listed."""
    return [one.gr_name for one in grp.getgrall()]


def user_of(uid: int) -> pwd.struct_passwd | None:
    """Return what is known of a user; a number need not have a name."""
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return None


def groups_of(name: str, gid: int) -> list[int]:
    """Return all groups of a user, as initgroups(3) would set them."""
    return sorted(set(os.getgrouplist(name, gid)))
