"""From the recorder's log to the folders that a power cut could have left, after each entry of it.

What is assumed of the disk is what POSIX promises, and no luck: bytes are there for sure once the file was synced, a name
once its folder was. Anything else may be there, or not, or in part: of a write any 512 bytes, of names each on its own,
in any order; a size may be new where the bytes are not. A rename inside one file system is whole or not at all.
"""
import os
import random
import struct

MAKE, WRITE, SIZE, RENAME, LINK, UNLINK, MKDIR, RMDIR, SYNC, SYNCED, CONTENT, SAY, HEAR, MAP = range(1, 15)
HEAD = struct.Struct("<IBBHHHIQqII")
MAGIC = 0x21545543
SECTOR = 512


class Entry:
    __slots__ = ("what", "is_folder", "path", "other", "process", "file", "number", "data")

    def __init__(self, what, is_folder, path, other, process, file, number, data):
        self.what, self.is_folder, self.path, self.other = what, is_folder, path, other
        self.process, self.file, self.number, self.data = process, file, number, data


def read_log(path):
    with open(path, "rb") as file:
        log = file.read()
    entries, at = [], 0
    while at < len(log):
        magic, what, is_folder, path_bytes, other_bytes, _, process, number_of_file, number, data_bytes, _ = HEAD.unpack_from(log, at)
        assert magic == MAGIC, f"the log is damaged at {at}"
        at += HEAD.size
        name, other = log[at : at + path_bytes].decode(), log[at + path_bytes : at + path_bytes + other_bytes].decode()
        at += path_bytes + other_bytes
        entries.append(Entry(what, bool(is_folder), name, other, process, number_of_file, number, log[at : at + data_bytes]))
        at += data_bytes
    return entries


def put(content, offset, data):
    """Writes into a bytearray; what was skipped is zeros."""
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def resize(content, size):
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


class File:
    """One inode: what is on the disk for sure, what the programs see, and the changes between the two."""

    def __init__(self, is_folder=False, content=b""):
        self.is_folder = is_folder
        self.durable, self.live = bytearray(content), bytearray(content)
        self.changes, self.done = [], 0  # (offset, bytes) or (size, None); how many were synced before those
        self.kept = {}  # what was built of it, until it changes

    def change(self, offset, data):
        self.changes.append((offset, data))
        self.kept.clear()
        if data is None:
            resize(self.live, offset)
        else:
            put(self.live, offset, data)

    def mark(self):
        return self.done + len(self.changes)

    def sync(self, mark):
        count = max(0, mark - self.done)
        for offset, data in self.changes[:count]:
            if data is None:
                resize(self.durable, offset)
            else:
                put(self.durable, offset, data)
        del self.changes[:count]
        self.done += count
        self.kept.clear()

    def content(self, how, dice):
        """old: what is sure; new: all; zeros: the new size without its bytes; torn: any sectors of any write."""
        if not self.changes:
            how = "new"
        if how != "torn" and how in self.kept:
            return self.kept[how]
        if how == "torn":
            return self.torn(dice)
        found = bytes(self.durable if how == "old" else self.live)
        if how == "zeros":
            found = bytes(self.durable[: len(found)]).ljust(len(found), b"\0")
        self.kept[how] = found
        return found

    def torn(self, dice):
        content = bytearray(self.durable)
        for offset, data in self.changes:
            kept = dice.random()
            if data is None:
                if kept < 0.5:
                    resize(content, offset)
            elif kept < 0.4:
                put(content, offset, data)
            elif kept < 0.8:
                at = 0
                while at < len(data):
                    end = min(len(data), at + SECTOR - (offset + at) % SECTOR)
                    if dice.random() < 0.5:
                        put(content, offset + at, data[at:end])
                    at = end
        return bytes(content)


class Name:
    """A change of names that is not yet on the disk."""

    __slots__ = ("number", "folder", "changes")

    def __init__(self, number, folder, changes):
        self.number, self.folder, self.changes = number, folder, changes


class Disk:
    """The folders as the log goes on. `drops(entry)`: syncs that are left out, as if a program had forgotten them."""

    def __init__(self, folders, drops=None):
        self.files, self.drops, self.dropped = {}, drops, 0
        self.sure = {folder: File(is_folder=True) for folder in folders}  # path -> File: names on the disk
        self.live = dict(self.sure)
        self.names, self.number, self.marks = [], 0, {}

    def file(self, number):
        return self.files.setdefault(number, File())

    def rename(self, folder, *changes):
        self.number += 1
        self.names.append(Name(self.number, folder, changes))
        self.set_names(self.live, changes)

    @staticmethod
    def set_names(names, changes):
        for path, file in changes:
            if file is None:
                names.pop(path, None)
            else:
                names[path] = file

    def apply(self, entry):
        """True: something is another than before."""
        what = entry.what
        if what == MAKE:
            file = self.files[entry.file] = File()
            self.rename(os.path.dirname(entry.path), (entry.path, file))
        elif what == WRITE:
            self.file(entry.file).change(entry.number, entry.data)
        elif what == SIZE:
            self.file(entry.file).change(entry.number, None)
        elif what == CONTENT:
            file = self.file(entry.file)
            if file.live == entry.data:
                return False
            file.change(0, entry.data)  # by a child in its box
            file.change(len(entry.data), None)
        elif what == LINK:
            self.rename(os.path.dirname(entry.other), (entry.other, self.live[entry.path]))
        elif what == RENAME:
            self.rename(os.path.dirname(entry.other), (entry.other, self.live[entry.path]), (entry.path, None))
        elif what in (UNLINK, RMDIR):
            self.rename(os.path.dirname(entry.path), (entry.path, None))
        elif what == MKDIR:
            self.rename(os.path.dirname(entry.path), (entry.path, File(is_folder=True)))
        elif what == SYNC:
            self.marks[entry.number] = self.number if entry.is_folder else self.file(entry.file).mark()
            return False
        elif what == SYNCED:
            return self.synced(entry)
        else:
            return False
        return True

    def synced(self, entry):
        if self.drops and self.drops(entry):
            self.dropped += 1
            return True  # judged as it is now
        mark = self.marks.pop(entry.number)
        if not entry.is_folder:
            file = self.file(entry.file)
            changed = bool(file.changes)
            file.sync(mark)
            return changed
        sure = [name for name in self.names if name.folder == entry.path and name.number <= mark]
        for name in sure:
            self.set_names(self.sure, name.changes)
        self.names = [name for name in self.names if name not in sure]
        return bool(sure)

    def build(self, which_names, how, dice):
        """One outcome: path -> bytes. `how`: of a file."""
        names = dict(self.sure)
        for name in which_names:
            self.set_names(names, name.changes)
        return {path: file.content(how(file), dice) for path, file in names.items() if not file.is_folder and os.path.dirname(path) in names}

    def outcomes(self, dice):
        """What a cut now could leave: the extremes, each change of a name alone and missing, and some by lot."""
        some = [name for name in self.names if dice.random() < 0.5]
        mixed = {}

        def any_of(file):
            return mixed.setdefault(id(file), dice.choice(("old", "new", "zeros", "torn")))

        yield self.build([], lambda file: "old", dice)
        yield self.build(self.names, lambda file: "new", dice)
        if any(file.changes for file in self.live.values()):
            for how in ("old", "zeros", "torn"):
                yield self.build(self.names, lambda file, it=how: it, dice)
            yield self.build([], lambda file: "new", dice)
            yield self.build(some, any_of, dice)
        for name in self.names[-6:]:
            yield self.build([name], lambda file: "old", dice)
            yield self.build([other for other in self.names if other is not name], lambda file: "new", dice)


def replay(entries, folders, drops=None):
    """(entry, what it changed on the disk, the disk) after each entry; the disk is one object that goes on."""
    disk = Disk(folders, drops)
    for entry in entries:
        yield entry, disk.apply(entry), disk


def dice_of(seed):
    return random.Random(seed)
