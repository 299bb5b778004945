// Shows advice when the browser gives no camera.
//
// The picture's own component shows "NotAllowedError: Permission denied" and nothing more, and cannot report it to
// Python. Its frame comes from this server, so its text can be read from here.
export default function (component) {
    const place = component.parentElement.querySelector(".advice");
    const advice = component.data.advice;
    const names = Object.keys(advice).filter((name) => name.endsWith("Error"));
    let before = null;
    let permission = null;

    function show() {
        const key = reported() || before;
        place.hidden = !key;
        const text = key ? advice[key] : "";
        if (place.textContent !== text) place.textContent = text;
    }

    function reported() {
        for (const frame of document.querySelectorAll("iframe[title*='webrtc']")) {
            const alert = frame.contentDocument?.querySelector("[role=alert]");
            if (!alert) continue;
            const name = names.find((one) => alert.textContent.includes(one));
            if (name) return name;
            if (alert.textContent.includes("taking longer")) return "slow";
        }
        return null;
    }

    async function check() {
        if (!window.isSecureContext || !navigator.mediaDevices) {
            before = "insecure";
            return show();
        }
        const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
        const found = devices.some((device) => device.kind === "videoinput");
        before = permission?.state === "denied" ? "denied" : found ? null : "missing";
        show();
    }

    async function watchPermission() {
        try {
            permission = await navigator.permissions?.query({ name: "camera" });
        } catch {
            return; // Firefox before 132 does not know this permission
        }
        permission?.addEventListener("change", check);
        check();
    }

    navigator.mediaDevices?.addEventListener("devicechange", check);
    const timer = setInterval(show, 500);
    check();
    watchPermission();
    return () => {
        clearInterval(timer);
        navigator.mediaDevices?.removeEventListener("devicechange", check);
        permission?.removeEventListener("change", check);
    };
}
