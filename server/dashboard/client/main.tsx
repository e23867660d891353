document.title = "Skyslot";
