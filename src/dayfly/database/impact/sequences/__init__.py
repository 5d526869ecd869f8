"""From which number sequences go on."""
