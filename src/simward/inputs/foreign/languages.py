"""What columns are called in Chinese, French, German and Spanish: ours -> theirs, lower case and without accents."""

from __future__ import annotations

CHINESE: dict[str, tuple[str, ...]] = {
    "subscription": ("用户", "用户标识", "用户 id", "用户编号", "用户号码", "手机号", "手机号码", "主叫号码", "号码"),
    "began_at": (
        "开始时间", "起始时间", "业务开始时间", "会话开始时间", "接入时间", "上线时间", "时间戳", "时间",
        "开始日期", "日期",
    ),
    "ended_at": ("结束时间", "终止时间", "业务结束时间", "会话结束时间", "离开时间", "下线时间"),
    "duration": ("时长", "持续时间", "会话时长", "通话时长", "在线时长", "上网时长"),
    "session": ("会话标识", "会话 id", "会话编号"),
    "cell": ("小区", "小区 id", "小区标识", "小区编号", "小区号", "基站", "基站 id", "基站编号", "基站标识"),
    "area": ("位置区", "位置区码", "跟踪区", "跟踪区码"),
    "rat": ("网络制式", "网络类型", "制式", "接入类型"),
    "device": ("终端", "终端标识", "终端 id", "设备", "设备 id", "设备标识", "设备号"),
    "model": ("终端型号", "机型", "手机型号", "设备型号"),
    "apn": ("接入点", "接入点名称"),
    "address": ("ip 地址", "用户 ip", "终端 ip"),
    "uplink": ("上行流量", "上行字节数", "上行数据量", "上行", "上传流量", "发送流量"),
    "downlink": ("下行流量", "下行字节数", "下行数据量", "下行", "下载流量", "接收流量"),
    "octets": ("流量", "总流量", "数据量", "总字节数"),
    "latitude": ("纬度", "基站纬度", "小区纬度"),
    "longitude": ("经度", "基站经度", "小区经度"),
}
FRENCH: dict[str, tuple[str, ...]] = {
    "subscription": (
        "abonne", "id abonne", "identifiant abonne", "numero abonne", "utilisateur", "id utilisateur", "client",
        "id client", "identifiant client", "numero appelant", "identifiant", "numero",
    ),
    "began_at": (
        "debut", "debut session", "date debut", "date de debut", "heure debut", "heure de debut", "date heure debut",
        "date et heure", "date heure", "horodatage", "heure",
    ),
    "ended_at": ("fin", "fin session", "date fin", "date de fin", "heure fin", "heure de fin", "date heure fin"),
    "duration": ("duree", "duree session", "duree de session", "duree de la session", "duree de connexion"),
    "cell": ("cellule", "id cellule", "identifiant cellule", "antenne", "station de base", "id site"),
    "area": ("zone de localisation", "zone de suivi"),
    "rat": ("technologie", "type reseau", "type de reseau"),
    "device": ("appareil", "equipement", "id terminal"),
    "model": ("modele", "modele terminal", "type de terminal"),
    "apn": ("point d'acces",),
    "address": ("adresse ip", "adresse"),
    "uplink": ("volume montant", "donnees montantes", "montant", "volume envoye", "envoye"),
    "downlink": ("volume descendant", "donnees descendantes", "descendant", "volume recu", "recu"),
    "octets": ("volume total", "volume de donnees", "trafic", "trafic total", "consommation"),
}
GERMAN: dict[str, tuple[str, ...]] = {
    "subscription": (
        "teilnehmer", "teilnehmernummer", "teilnehmer id", "nutzer", "nutzer id", "benutzer", "benutzer id", "kunde",
        "kunden id", "kundennummer", "rufnummer", "kartennummer", "sim karte",
    ),
    "began_at": (
        "beginn", "startzeit", "startzeitpunkt", "startdatum", "anfang", "sitzungsbeginn", "zeitstempel", "zeitpunkt",
        "datum uhrzeit", "datum", "uhrzeit", "zeit",
    ),
    "ended_at": ("ende", "endzeit", "endzeitpunkt", "enddatum", "sitzungsende"),
    "duration": ("dauer", "sitzungsdauer", "verbindungsdauer"),
    "session": ("sitzung", "sitzungs id"),
    "cell": ("zelle", "zell id", "zellen id", "funkzelle", "basisstation", "standort"),
    "rat": ("technologie", "netztechnologie", "netztyp"),
    "device": ("gerat", "geraet", "endgerat", "endgeraet", "gerate id", "geraete id"),
    "model": ("modell", "geratemodell", "geraetemodell"),
    "apn": ("zugangspunkt",),
    "address": ("ip adresse", "adresse"),
    "uplink": ("gesendet", "hochgeladen", "upload volumen", "uplink volumen"),
    "downlink": ("empfangen", "heruntergeladen", "download volumen", "downlink volumen"),
    "octets": ("datenvolumen", "volumen", "datenmenge", "menge", "verbrauch"),
    "latitude": ("breitengrad", "geographische breite"),
    "longitude": ("langengrad", "laengengrad", "geographische lange"),
}
SPANISH: dict[str, tuple[str, ...]] = {
    "subscription": (
        "abonado", "id abonado", "suscriptor", "id suscriptor", "usuario", "id usuario", "cliente", "id cliente",
        "numero de telefono", "linea", "numero",
    ),
    "began_at": (
        "inicio", "inicio sesion", "fecha inicio", "fecha de inicio", "hora inicio", "hora de inicio", "fecha y hora",
        "fecha hora", "marca de tiempo", "fecha", "hora",
    ),
    "ended_at": ("fin", "fin sesion", "fecha fin", "fecha de fin", "hora fin", "hora de fin", "termino"),
    "duration": ("duracion", "duracion sesion", "duracion de la sesion"),
    "session": ("sesion", "id sesion"),
    "cell": ("celda", "id celda", "antena", "id antena", "estacion base"),
    "rat": ("tecnologia", "tipo red", "tipo de red"),
    "device": ("dispositivo", "id dispositivo", "equipo", "id equipo"),
    "model": ("modelo",),
    "apn": ("punto de acceso",),
    "address": ("direccion ip", "direccion"),
    "uplink": ("subida", "volumen subida", "trafico subida", "datos subida", "enviado", "enviados"),
    "downlink": ("bajada", "volumen bajada", "trafico bajada", "datos bajada", "descarga", "recibido", "recibidos"),
    "octets": ("volumen", "volumen total", "trafico", "trafico total", "volumen de datos", "consumo"),
    "latitude": ("latitud",),
    "longitude": ("longitud",),
}
LANGUAGES = (CHINESE, FRENCH, GERMAN, SPANISH)
UNITS = {
    "octet": "B", "字节": "B", "ko": "kB", "kio": "KiB", "mo": "MB", "mio": "MiB", "兆": "MB", "go": "GB", "gio": "GiB",
    "秒": "s", "sek": "s", "sekunden": "s", "secondes": "s", "segundos": "s", "seg": "s", "毫秒": "ms",
    "millisekunden": "ms", "millisecondes": "ms", "milisegundos": "ms", "分钟": "min", "分": "min", "minuten": "min",
    "minutos": "min", "小时": "h", "stunden": "h", "heures": "h", "horas": "h",
}  # fmt: skip
"""How units are written in names of columns, besides English."""
