"""The parts of the Streamlit pages; the only package that imports streamlit."""
