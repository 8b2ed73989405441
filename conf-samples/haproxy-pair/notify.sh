#!/bin/sh
# Called at every transition: INSTANCE name state priority. Keeps a diary.
umask 022
echo "$(date +%T.%3N) $*" >> /run/notify.log
