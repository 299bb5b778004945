// Keeps the address that somebody opened over the provider's pages, which lead back to the first page.
const KEY = "recognizer-wanted-address";

export default function wantedAddress({ data }) {
    if (!data.isSignedIn) {
        sessionStorage.setItem(KEY, location.href);
        return;
    }
    const wanted = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    if (wanted && wanted !== location.href && new URL(wanted).origin === location.origin) location.replace(wanted);
}
