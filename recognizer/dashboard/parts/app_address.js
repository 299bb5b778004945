// The app's address: Streamlit's own scripts are two folders below it.
export function appAddress() {
    const own = document.querySelector('script[src*="static/js/"]');
    return own ? new URL("../../", own.src).href : document.baseURI;
}
