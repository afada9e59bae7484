var e=localStorage.getItem("spillway-theme");(e==="dark"||e==="light")&&(document.documentElement.dataset.theme=e);
