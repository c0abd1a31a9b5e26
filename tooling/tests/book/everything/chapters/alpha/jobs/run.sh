#!/bin/bash
# The whole job, with the host in it.
echo "run on {{< var things.host.name >}}"
