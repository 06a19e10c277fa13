"""Has bagit and frictionless judge each bundle in the folder BUNDLES: a folder for each,
with the bundle's ZIP and, unpacked, its bag."""

import os
import sys
import zipfile
from pathlib import Path

import bagit
import frictionless

bundles = sorted(p for p in Path(os.environ["BUNDLES"]).iterdir() if p.is_dir())
if not bundles:
    sys.exit("there are no bundles")
for bundle in bundles:
    (packed,) = bundle.glob("*.zip")
    with zipfile.ZipFile(packed) as z:
        if bad := z.testzip():
            sys.exit(f"{bundle.name}: zipfile: {bad} is damaged")
    (bag,) = (p for p in bundle.iterdir() if p.is_dir())
    bagit.Bag(str(bag)).validate()
    package = frictionless.Package(str(bag / "data" / "datapackage.json"))
    report = package.validate()
    if not report.valid:
        sys.exit(f"{bundle.name}: frictionless: {report.flatten(['title', 'type', 'message'])}")
