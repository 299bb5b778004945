// Says below an upload field why a file was refused. Streamlit marks the file red, and says "Request failed with status
// code 413" where the mouse is over it.

const STATUS = /Request failed with status code (\d{3})$/;
const OWN = "recognizer-refusal";

export default function refusals({ data, parentElement }) {
    const accent = getComputedStyle(parentElement.host ?? parentElement).getPropertyValue("--st-primary-color");

    function reasonFor(field) {
        for (const alert of field.querySelectorAll("[data-testid=stFileChip] [role=alert]")) {
            const told = alert.textContent;
            const reason = data.reasons[told.endsWith("Network Error") ? "network" : STATUS.exec(told)?.[1]];
            if (reason) return reason;
        }
        return "";
    }

    function explain() {
        for (const field of document.querySelectorAll("[data-testid=stFileUploader]")) {
            const reason = reasonFor(field);
            const place = field.querySelector(`.${OWN}`) ?? (reason && field.appendChild(made()));
            if (place && place.textContent !== reason) place.textContent = reason;
            if (place) place.hidden = !reason;
        }
    }

    function made() {
        const place = document.createElement("div");
        place.className = OWN;
        place.setAttribute("role", "alert");
        place.style.cssText = `margin-top: 0.6rem; padding-left: 0.8rem; border-left: 4px solid ${accent}`;
        return place;
    }

    const observer = new MutationObserver(explain);
    observer.observe(document.body, { childList: true, characterData: true, subtree: true });
    explain();
    return () => observer.disconnect();
}
