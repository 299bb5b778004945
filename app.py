"""The app: page configuration and navigation, nothing else.

Streamlit runs this file as a script for every page, and imports it once to find ``app``, the server.
"""

if __name__ == "__main__":
    from recognizer.dashboard import navigation

    navigation.configure()
    navigation.run()
else:
    from streamlit.starlette import App

    from recognizer.dashboard.middleware import middleware
    from recognizer.dashboard.server import check_limits
    from recognizer.dashboard.streamlit_private import (
        ask_no_address_service,
        bring_closed_pages_back,
        keep_answers,
        keep_finished_runs,
    )
    from recognizer.dashboard.workbench.routes import ending, routes
    from recognizer.service.logs import log_to_stderr

    log_to_stderr()
    check_limits()
    ask_no_address_service()
    keep_finished_runs()
    keep_answers()
    bring_closed_pages_back()
    app = App(__file__, routes=routes(), middleware=middleware(), lifespan=ending)
