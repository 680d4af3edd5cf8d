"""Every shell script of ours is what shellcheck likes."""
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def scripts():
    for top in ("certbot-hooks", "systemd", "test", ".ci"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    first = file.readline()
                if first.startswith((b"#!/bin/sh", b"#!/usr/bin/env bash")) or b"shellcheck shell=" in first + open(path, "rb").read(200):
                    yield os.path.relpath(path, ROOT)


def test_shellcheck_finds_nothing():
    found = sorted(scripts())
    assert {"certbot-hooks/deploy", "certbot-hooks/stand-in", "certbot-hooks/common"} <= set(found)
    done = subprocess.run(["shellcheck", "-x", *found], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
