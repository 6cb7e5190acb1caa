"""The update repository: what may be installed now, by The Update Framework (TUF).

Publisher and device share a folder, which may travel on a USB stick. Spec: theupdateframework.io.
"""
