"""The server side without Streamlit: background work, the database, stored files."""
