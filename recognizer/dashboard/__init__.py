"""The Streamlit pages' parts; the only package that imports streamlit."""
