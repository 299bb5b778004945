"""Tests in a real browser.

A package, unlike the other folders of tests: only in one does pytest end a fixture of scope ``package`` with its last
test. In a mere folder it lasts for the whole session, and Playwright's event loop with it.
"""
