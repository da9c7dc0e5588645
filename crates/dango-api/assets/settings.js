// What pages with dialogs use.
