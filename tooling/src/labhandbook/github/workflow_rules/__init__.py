"""The doctor's rules, one module for each theme; importing this package registers them."""

from labhandbook.github.repository import WORKFLOWS as WORKFLOWS
from labhandbook.github.workflow_rules import artifacts as artifacts
from labhandbook.github.workflow_rules import build_jobs as build_jobs
from labhandbook.github.workflow_rules import permissions as permissions
from labhandbook.github.workflow_rules import publisher_identity as publisher_identity
from labhandbook.github.workflow_rules import releases as releases
from labhandbook.github.workflow_rules import triggers as triggers
from labhandbook.github.workflow_rules import uploads as uploads
