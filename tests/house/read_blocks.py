"""read_blocks.py ROOT PROGRAM FOLDER: the program reads what the documents show of its files and bodies.

YAML of the configuration and of policies, JSON of jobs, Python of clients: each block as it stands, and once more with
a mistake in it, which must be found. Needs a controller with the demo fleet at $SPILLWAY_SERVER. Scenarios and
workloads (tests/simulator), traces (tests/formats), C++ (tests/adapters, tests/policies), JavaScript (tests/clients)
and the shell (run-documents) are read elsewhere.
"""
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
from pages import Tree, blocks

ELSEWHERE = {"docs/simulation.md", "docs/workloads.md"}  # their YAML
DEMO = "configs/fleets/demo.yaml"


class Reader:
    def __init__(self, root, program, folder):
        self.tree, self.program, self.folder = Tree(root), program, folder

    def say(self, *words):
        """None if the program takes it, else what it says."""
        ran = subprocess.run([self.program, *words], capture_output=True, text=True, timeout=60,
                             cwd=self.tree.root, check=False)
        return None if ran.returncode in (0, 1) else f"{ran.returncode}: {ran.stdout}{ran.stderr}"

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def config(self, text):
        """Documents of their own kinds in place of the demo's."""
        kinds = set(re.findall(r"^kind: (\w+)", text, flags=re.M))
        demo = [one for one in re.split(r"^---.*\n", self.tree.read(DEMO), flags=re.M)
                if re.search(r"^kind: (\w+)", one, flags=re.M).group(1) not in kinds]
        return self.say("check", "config", self.write("config.yaml", "---\n".join([*demo, text])))

    def pools(self, text):
        indented = "".join(f"  {line}\n" for line in text.splitlines())
        return self.say("check", "config", self.write("fleet.yaml", f"kind: Fleet\npools:\n{indented}"))

    def policy(self, text):
        path = self.write("policy.yaml", f"kind: Policy\nname: example\n{text}")
        return self.say("policy", "check", path, "--config", DEMO)

    def job(self, text):
        job = {"run": {"command": ["true"]}, **json.loads(text)}  # a part of a job, too
        return self.say("explain", "--dry-run", self.write("job.json", json.dumps(job)))

    def python(self, text):
        """With a stand-in for the package `openai` (client_module/): Debian has none."""
        ran = subprocess.run([sys.executable, "-c", text.replace("http://127.0.0.1:8080", os.environ["SPILLWAY_SERVER"])],
                             capture_output=True, text=True, timeout=60, check=False,
                             env={**os.environ, "PYTHONPATH": os.path.join(self.tree.root, "tests/house/client_module"),
                                  "PYTHONDONTWRITEBYTECODE": "1"})
        return None if ran.returncode == 0 and ran.stdout.strip() else f"{ran.returncode}: {ran.stdout}{ran.stderr}"


def kind_of(block):
    """How a block is read, and how to put a mistake into it."""
    if block.language == "json":
        return Reader.job, lambda text: text.replace("{", '{"nonsense": 1, ', 1)
    if block.language == "python":
        return Reader.python, lambda text: text.replace("model=", "modell=")
    if block.language != "yaml" or block.page in ELSEWHERE:
        return None
    content = re.sub(r"^\s*#.*\n", "", block.text, flags=re.M)
    if not content.strip():
        return None
    if content.startswith("- "):
        return Reader.pools, lambda text: text + "  nonsense: 1\n"
    reads = Reader.config if re.search(r"^kind: ", content, flags=re.M) else Reader.policy
    return reads, lambda text: text + "nonsense: 1\n"


def main():
    reader, found, read = Reader(*sys.argv[1:4]), [], 0
    for page in reader.tree.pages():
        for block in blocks(reader.tree, page):
            if (kind := kind_of(block)) is None:
                continue
            reads, spoil = kind
            read += 1
            if what := reads(reader, block.text):
                found.append(f"{page}:{block.line}: {what}")
            elif reads(reader, spoil(block.text)) is None:
                found.append(f"{page}:{block.line}: a mistake in it is not found")
    for line in found:
        print(line)
    print(f"{read} blocks, {len(found)} findings")
    return 1 if found or read < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
